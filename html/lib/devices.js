// Cameras, microphones and screens of this machine.

export const captureDefaults = {
  audio: {echoCancellation: true, noiseSuppression: true, autoGainControl: true},
  video: {resolution: {width: 1280, height: 720, frameRate: 30}},
};

function devices() {
  if (navigator.mediaDevices) return navigator.mediaDevices;
  const error = new Error('The browser gives camera and microphone only to https:// pages and to localhost.');
  throw Object.assign(error, {name: 'InsecureError'});
}

// {deviceId, facingMode, resolution, ...} as getUserMedia wants it; a device that was named is meant.
function constraints({deviceId, resolution, ...others} = {}) {
  const size = resolution && {
    width: {ideal: resolution.width}, height: {ideal: resolution.height},
    ...(resolution.frameRate && {frameRate: {ideal: resolution.frameRate}}),
  };
  return {...others, ...size, ...(deviceId && {deviceId: typeof deviceId === 'string' ? {exact: deviceId} : deviceId})};
}

/** A new track of the microphone ('audio') or camera ('video'); of another device if the one named is not there any more. */
export async function capture(kind, options = {}) {
  const ask = async wanted => (await devices().getUserMedia({[kind]: constraints(wanted)})).getTracks()[0];
  const wanted = {...captureDefaults[kind], ...options};
  try {
    return await ask(wanted);
  } catch (error) {
    if (!wanted.deviceId || !['OverconstrainedError', 'NotFoundError'].includes(error.name)) throw error;
    return ask({...wanted, deviceId: undefined});
  }
}

/** Tracks of both at once, with one question of the browser. */
export async function captureBoth({audio, video}) {
  const stream = await devices().getUserMedia({
    audio: constraints({...captureDefaults.audio, ...audio}), video: constraints({...captureDefaults.video, ...video}),
  });
  return stream.getTracks();
}

/** Tracks of a screen, window or tab, with its sound if that is wanted and given. */
export async function captureScreen({audio = false, video = true, resolution, contentHint = 'detail', ...others} = {}) {
  if (!devices().getDisplayMedia) throw Object.assign(new Error('This browser cannot share a screen.'), {name: 'NotFoundError'});
  const stream = await devices().getDisplayMedia({
    video: resolution ? {...(typeof video === 'object' && video), ...constraints({resolution})} : video, audio, ...others,
  });
  for (const track of stream.getVideoTracks()) track.contentHint = contentHint;
  return stream.getTracks();
}

/** The devices of a kind ('audioinput', 'videoinput', 'audiooutput') or all, with their names if `ask` or permission was given. */
export async function listDevices(kind, ask = true) {
  let found = await devices().enumerateDevices();
  const unnamed = found.some(device => !device.label && (!kind || device.kind === kind));
  if (ask && unnamed && kind !== 'audiooutput') {
    const stream = await devices().getUserMedia({
      audio: kind !== 'videoinput' && found.some(device => device.kind === 'audioinput'),
      video: kind !== 'audioinput' && found.some(device => device.kind === 'videoinput'),
    }).catch(() => null);
    found = await devices().enumerateDevices();
    stream?.getTracks().forEach(track => track.stop());
  }
  return found.filter(device => !kind || device.kind === kind);
}
