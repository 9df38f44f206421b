"""Networks for phones: from a model folder to LiteRT's ``.tflite`` files. Needs the extra ``phone``; no TensorFlow."""
