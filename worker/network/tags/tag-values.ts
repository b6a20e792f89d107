import { listOf, type Parse, text } from '../api/values.ts';

/** Neutron's own limits. */
const TAG_LENGTH_MAX = 255;
export const TAGS_MAX = 50;

/** One tag, as Neutron takes it. */
export const tagText: Parse<string> = text(TAG_LENGTH_MAX);

/** Tags, each once. */
export const tagList: Parse<string[]> = listOf(tagText, { max: TAGS_MAX });
