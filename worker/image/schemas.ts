import { CONTAINER_FORMATS, DISK_FORMATS, MEMBER_STATUSES, STATUSES, UUID_PATTERN, VISIBILITIES } from './formats.ts';

type Definition = Record<string, unknown>;

const text = (description: string, more: Definition = {}): Definition => ({ type: 'string', description, ...more });
const textOrNull = (description: string, more: Definition = {}): Definition => ({
  type: ['null', 'string'],
  description,
  ...more,
});
const READ_ONLY = { readOnly: true };
const EXTRA = { is_base: false };

/** The properties that every deployment of Glance has, and those of its schema-image.json. */
const IMAGE_PROPERTIES: Record<string, Definition> = {
  id: text('An identifier for the image', { pattern: UUID_PATTERN }),
  name: textOrNull('Descriptive name for the image', { maxLength: 255 }),
  status: text('Status of the image', { ...READ_ONLY, enum: STATUSES }),
  visibility: text('Scope of image accessibility', { enum: VISIBILITIES }),
  protected: { type: 'boolean', description: 'If true, image will not be deletable.' },
  os_hidden: { type: 'boolean', description: 'If true, image will not appear in default image list response.' },
  checksum: textOrNull('md5 hash of image contents.', { ...READ_ONLY, maxLength: 32 }),
  os_hash_algo: textOrNull('Algorithm to calculate the os_hash_value', { ...READ_ONLY, maxLength: 64 }),
  os_hash_value: textOrNull('Hexdigest of the image contents using the algorithm specified by the os_hash_algo', {
    ...READ_ONLY,
    maxLength: 128,
  }),
  owner: textOrNull('Owner of the image', { maxLength: 255 }),
  size: { type: ['null', 'integer'], ...READ_ONLY, description: 'Size of image file in bytes' },
  virtual_size: { type: ['null', 'integer'], ...READ_ONLY, description: 'Virtual size of image in bytes' },
  container_format: textOrNull('Format of the container', { enum: [null, ...CONTAINER_FORMATS] }),
  disk_format: textOrNull('Format of the disk', { enum: [null, ...DISK_FORMATS] }),
  created_at: text('Date and time of image registration', READ_ONLY),
  updated_at: text('Date and time of the last image modification', READ_ONLY),
  tags: {
    type: 'array',
    description: 'List of strings related to the image',
    items: { type: 'string', maxLength: 255 },
  },
  direct_url: text('URL to access the image file kept in external store', READ_ONLY),
  min_ram: { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' },
  min_disk: { type: 'integer', description: 'Amount of disk space (in GB) required to boot image.' },
  self: text('An image self url', READ_ONLY),
  file: text('An image file url', READ_ONLY),
  stores: text(
    'Store in which image data resides.  Only present when the operator has enabled multiple stores.  May be a comma-separated list of store identifiers.',
    READ_ONLY,
  ),
  schema: text('An image schema url', READ_ONLY),
  locations: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        url: { type: 'string', maxLength: 255 },
        metadata: { type: 'object' },
        validation_data: {
          description:
            "Values to be used to populate the corresponding image properties. If the image status is not 'queued', values must exactly match those already contained in the image properties.",
          type: 'object',
          writeOnly: true,
          additionalProperties: false,
          properties: {
            checksum: { type: 'string', minLength: 32, maxLength: 32 },
            os_hash_algo: { type: 'string', maxLength: 64 },
            os_hash_value: { type: 'string', maxLength: 128 },
          },
          required: ['os_hash_algo', 'os_hash_value'],
        },
      },
      required: ['url', 'metadata'],
    },
    description: 'A set of URLs to access the image file kept in external store',
  },
  kernel_id: textOrNull(
    'ID of image stored in Glance that should be used as the kernel when booting an AMI-style image.',
    { pattern: UUID_PATTERN, ...EXTRA },
  ),
  ramdisk_id: textOrNull(
    'ID of image stored in Glance that should be used as the ramdisk when booting an AMI-style image.',
    { pattern: UUID_PATTERN, ...EXTRA },
  ),
  instance_uuid: text(
    'Metadata which can be used to record which instance this image is associated with. (Informational only, does not create an instance snapshot.)',
    EXTRA,
  ),
  architecture: text(
    'Operating system architecture as specified in https://docs.openstack.org/python-glanceclient/latest/cli/property-keys.html',
    EXTRA,
  ),
  os_distro: text(
    'Common name of operating system distribution as specified in https://docs.openstack.org/python-glanceclient/latest/cli/property-keys.html',
    EXTRA,
  ),
  os_version: text('Operating system version as specified by the distributor.', EXTRA),
  description: text('A human-readable string describing this image.', EXTRA),
};

const MEMBER_PROPERTIES: Record<string, Definition> = {
  member_id: text('An identifier for the image member (tenantId)'),
  image_id: text('An identifier for the image', { pattern: UUID_PATTERN }),
  created_at: text('Date and time of image member creation'),
  updated_at: text('Date and time of last modification of image member'),
  status: text('The status of this image member', { enum: MEMBER_STATUSES }),
  schema: { type: 'string', ...READ_ONLY },
};

const TASK_PROPERTIES: Record<string, Definition> = {
  id: text('An identifier for the task', { pattern: UUID_PATTERN }),
  type: text('The type of task represented by this content', {
    enum: ['import', 'api_image_import', 'location_import'],
  }),
  status: text('The current status of this task', { enum: ['pending', 'processing', 'success', 'failure'] }),
  input: { type: ['null', 'object'], description: 'The parameters required by task, JSON blob' },
  result: { type: ['null', 'object'], description: 'The result of current task, JSON blob' },
  owner: text('An identifier for the owner of this task'),
  message: text('Human-readable informative message only included when appropriate (usually on failure)'),
  image_id: text('Image associated with the task'),
  request_id: text('Human-readable informative request-id'),
  user_id: text('User associated with the task'),
  expires_at: textOrNull('Datetime when this resource would be subject to removal'),
  created_at: text('Datetime when this resource was created'),
  updated_at: text('Datetime when this resource was updated'),
  self: { type: 'string', ...READ_ONLY },
  schema: { type: 'string', ...READ_ONLY },
};
/** What a list of tasks leaves out. */
const NOT_LISTED = new Set(['input', 'result', 'message', 'image_id', 'request_id', 'user_id']);

const imageSchema = {
  name: 'image',
  properties: IMAGE_PROPERTIES,
  additionalProperties: { type: 'string' },
  links: [
    { rel: 'self', href: '{self}' },
    { rel: 'enclosure', href: '{file}' },
    { rel: 'describedby', href: '{schema}' },
  ],
};

const memberSchema = { name: 'member', properties: MEMBER_PROPERTIES };

const taskSchema = { name: 'task', properties: TASK_PROPERTIES, additionalProperties: false };
const listedTask = Object.fromEntries(Object.entries(TASK_PROPERTIES).filter(([name]) => !NOT_LISTED.has(name)));

const collectionOf = (name: string, items: Definition) => ({
  name,
  properties: {
    [name]: { type: 'array', items },
    first: { type: 'string' },
    next: { type: 'string' },
    schema: { type: 'string' },
  },
  links: [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ],
});

/** The JSON schemas by the name in their path, `/v2/schemas/<name>`. Clients build their models of images from them. */
export const SCHEMAS: Readonly<Record<string, Definition>> = {
  image: imageSchema,
  images: collectionOf('images', imageSchema),
  member: memberSchema,
  members: {
    name: 'members',
    properties: { members: { type: 'array', items: memberSchema }, schema: { type: 'string' } },
    links: [{ rel: 'describedby', href: '{schema}' }],
  },
  task: taskSchema,
  tasks: collectionOf('tasks', { name: 'task', properties: listedTask, additionalProperties: false }),
};
