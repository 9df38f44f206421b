/** The cameras of this device. */

/**
 * Start a camera.
 *
 * @param {string} [deviceId] One of several; the browser's choice if absent.
 * @returns {Promise<MediaStream>}
 */
export function openCamera(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("this browser gives pages no camera");
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  return navigator.mediaDevices.getUserMedia({
    video: { ...which, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
    audio: false,
  });
}

/** Known once a camera is open. @returns {Promise<MediaDeviceInfo[]>} */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput");
}

/** @param {MediaStream} stream */
export function closeCamera(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Whether a camera looks at the person before the screen, and is to be shown as a mirror would. @param {MediaStream} stream */
export function facesUser(stream) {
  const [track] = stream.getVideoTracks();
  return track?.getSettings().facingMode !== "environment";
}
