import { X509Certificate } from 'node:crypto';
import { certificateFingerprint } from './generate-keypair.ts';
import { invalidKeypair } from './ssh-key.ts';

/** The fingerprint of a certificate in PEM. @throws ApiError 400 not a certificate */
export function pemFingerprint(text: string): string {
  try {
    return certificateFingerprint(new X509Certificate(text).raw);
  } catch (error) {
    throw invalidKeypair(`failed to generate X509 fingerprint. Error message: ${String(error)}`);
  }
}
