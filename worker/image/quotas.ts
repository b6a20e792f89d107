import { tooLarge } from '../http/errors.ts';
import { PROPERTIES_MAX, TAGS_MAX } from './limits.ts';

/** Of properties that this service sets itself. */
export const RESERVED_PREFIX = 'os_glance_';

/** Extra properties, not too many; our own do not count. @throws ApiError 413 */
export function checkProperties(properties: Record<string, string>): Record<string, string> {
  const attempted = Object.keys(properties).filter((name) => !name.startsWith(RESERVED_PREFIX)).length;
  if (attempted <= PROPERTIES_MAX) return properties;
  throw tooLarge(
    `The limit has been exceeded on the number of allowed image properties. Attempted: ${attempted}, Maximum: ${PROPERTIES_MAX}`,
  );
}

/** Tags, each once and not too many. @throws ApiError 413 */
export function distinctTags(tags: string[]): string[] {
  const distinct = [...new Set(tags)];
  if (distinct.length <= TAGS_MAX) return distinct;
  throw tooLarge(
    `The limit has been exceeded on the number of allowed image tags. Attempted: ${distinct.length}, Maximum: ${TAGS_MAX}`,
  );
}
