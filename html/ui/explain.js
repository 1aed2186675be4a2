// Failures in words, with a way on.
import {CardeaError, MediaDeviceFailure} from '../cardea.js';
import {t} from './words.js';

export function explain(error) {
  if (error instanceof CardeaError) {
    switch (error.code) {
      case 0: return t('The gateway cannot be reached. Check your network; the page tries again when you do.');
      case 403: return t('The gateway wants a token or secret that this page does not have.');
      case 426: case 417: return t('This room does not exist, and may not be made here.');
      case 432: return t('The room is full: nobody else can send sound or video. You may listen, or try again later.');
      case 433: case 419: return t('The pin is wrong, or you may not do this.');
      case 429: case 413: return t('This room needs its pin.');
      case 436: case 420: return t('Somebody of that name is in the room already.');
      case 460: return t('The gateway does not offer this service.');
    }
    return t('The gateway refused: {reason}', {reason: error.message});
  }
  switch (MediaDeviceFailure.getFailure(error)) {
    case 'PermissionDenied': return t('The browser was not allowed to use it. Allow it beside the address, then try again.');
    case 'NotFound': return t('There is no such device. Plug one in, or go on without.');
    case 'DeviceInUse': return t('Another program uses the device. Close it there, then try again.');
    case 'Insecure': return t('Browsers give camera and microphone only to https:// pages and to localhost. Open this page with https://.');
  }
  return String(error?.message ?? error);
}
