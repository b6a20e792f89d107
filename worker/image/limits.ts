/** Limits of the image service. Units last in every name. */

/**
 * The largest image. What a request may carry can be less: Cloudflare takes bodies of 100 to 500 MB by plan, workerd at
 * home has no limit of its own.
 */
export const IMAGE_BYTES_MAX = 128 * 1024 ** 3;
/** What one project may have; the names and units are those of Glance's unified limits. */
export const PROJECT_LIMITS = {
  /** MiB of data that is stored. */
  image_size_total: 10 * 1024 * 1024,
  /** MiB of data that is staged for an import. */
  image_stage_total: 1024 * 1024,
  /** Images, whatever their state. */
  image_count_total: 10_000,
  /** Images to which data is under way. */
  image_count_uploading: 100,
} as const;
/** Glance's quotas of one image. */
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

/** A download goes on for this long: less than the 15 minutes that an alarm may run on either platform. */
export const IMPORT_DEADLINE_MS = 14 * 60_000;
/** A download from which less than `READ_BYTES_MIN` came for this long has stalled. */
export const IMPORT_STALL_MS = 60_000;
/** An import that nobody began for this long is begun by the region's alarm. */
export const IMPORT_START_MS = 30_000;
/** An import whose worker is lost begins again, so often in all. */
export const IMPORT_ATTEMPTS_MAX = 3;
/** Lost imports that one round begins again. */
export const IMPORT_RECOVERIES_MAX = 20;
export const REDIRECTS_MAX = 5;
export const URI_CHARS_MAX = 2048;
/** Ended tasks are kept this long, as Glance keeps them. */
export const TASK_KEEP_MS = 48 * 3600 * 1000;
/** Objects, properties, tags and types of resources in one namespace of metadata definitions. */
export const METADEF_ITEMS_MAX = 1000;
