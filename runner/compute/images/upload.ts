import { DriverError } from '../../driver.ts';
import { pause } from '../../host/wait.ts';
import { errorText, type Log } from '../../log.ts';

/**
 * Sends the data of an image that the edge asked for. Sending it again does no harm.
 * @throws DriverError the edge refuses it for good; any other error may be over when it is tried again
 */
export type UploadImage = (id: string, data: Blob, signal: AbortSignal) => Promise<void>;

const ATTEMPTS_MAX = 6;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;

/** Sends an image until the edge has it. @throws DriverError refused, or not taken after some attempts, or the signal fired */
export async function sendImage(
  upload: UploadImage,
  image: { id: string; data: Blob },
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await upload(image.id, image.data, signal);
    } catch (error) {
      if (error instanceof DriverError) throw error;
      if (signal.aborted || attempt >= ATTEMPTS_MAX) {
        throw new DriverError(`Image ${image.id} could not be uploaded: ${errorText(error)}`, {
          code: 503,
          cause: error,
        });
      }
      log.warn('image-upload-broke', { image: image.id, error: errorText(error) });
      await pause(Math.min(RETRY_MIN_MS * 2 ** (attempt - 1), RETRY_MAX_MS), signal);
    }
  }
}
