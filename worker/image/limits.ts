/** Limits of the image service. Units last in every name. */

/**
 * The largest image. What a request may carry can be less: Cloudflare takes bodies of 100 to 500 MB by plan, workerd at
 * home has no limit of its own.
 */
export const IMAGE_BYTES_MAX = 128 * 1024 ** 3;
/** Glance's quotas. */
export const PROPERTIES_MAX = 128;
export const TAGS_MAX = 128;
export const MEMBERS_MAX = 128;
/** Glance's lengths. */
export const NAME_CHARS_MAX = 255;
export const PROPERTY_VALUE_CHARS_MAX = 65_535;
/** What an integer column of Glance holds. */
export const MIN_DISK_GIB_MAX = 2 ** 31 - 1;
export const MIN_RAM_MIB_MAX = 2 ** 31 - 1;
/** Changes in one PATCH. */
export const CHANGES_MAX = 512;

export const PAGE_DEFAULT = 25;
export const PAGE_MAX = 1000;
/** Conditions of one list request; each is a comparison on every row read. */
export const FILTERS_MAX = 50;
/** Values of one `in:` filter. */
export const FILTER_VALUES_MAX = 500;

/** An upload from which nothing came for this long is lost: its image may be uploaded to again. */
export const UPLOAD_LEASE_MS = 180_000;
/** How often a running upload renews its lease. */
export const UPLOAD_RENEW_MS = 60_000;
/** Least bytes to read at once: fewer steps through the hashes and the store. */
export const READ_BYTES_MIN = 256 * 1024;
/** What the format inspection sees of an image: past the descriptor of an ISO 9660 file system at 32 KiB. */
export const HEAD_BYTES = 64 * 1024;

/** Writes that find their image changed read it again, so often. */
export const ATTEMPTS_MAX = 5;
/** Blobs that one sweep removes. */
export const SWEEP_BLOBS_MAX = 100;
