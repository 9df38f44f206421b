"""The pages of the web app. Streamlit would run a folder called pages by itself, without what is around them."""
