type Definition = Record<string, unknown>;

const string = (maxLength?: number): Definition => ({ type: 'string', ...(maxLength ? { maxLength } : {}) });
const strings: Definition = { type: 'array', items: { type: 'string' } };
const moment: Definition = { type: 'string', readOnly: true, format: 'date-time' };
const readOnly: Definition = { type: 'string', readOnly: true };
const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string', null];
const count: Definition = { $ref: '#/definitions/positiveInteger' };
const countOrZero: Definition = { $ref: '#/definitions/positiveIntegerDefault0' };

const PROPERTY: Definition = {
  name: string(80),
  title: string(),
  description: string(),
  operators: strings,
  type: { type: 'string', enum: TYPES },
  required: { $ref: '#/definitions/stringArray' },
  minimum: { type: 'number' },
  maximum: { type: 'number' },
  maxLength: count,
  minLength: countOrZero,
  pattern: { type: 'string', format: 'regex' },
  enum: { type: 'array' },
  readonly: { type: 'boolean' },
  default: {},
  items: { type: 'object', properties: { type: { type: 'string', enum: TYPES }, enum: { type: 'array' } } },
  maxItems: count,
  minItems: countOrZero,
  uniqueItems: { type: 'boolean', default: false },
  additionalItems: { type: 'boolean' },
};
const NUMBERS: Definition = {
  positiveInteger: { type: 'integer', minimum: 0 },
  positiveIntegerDefault0: { allOf: [count, { default: 0 }] },
};
const DEFINITIONS: Definition = {
  ...NUMBERS,
  stringArray: { ...strings, uniqueItems: true },
  property: {
    type: 'object',
    additionalProperties: { type: 'object', required: ['title', 'type'], properties: PROPERTY },
  },
};
const PROPERTIES: Definition = { $ref: '#/definitions/property' };

const OBJECT: Definition = {
  name: string(80),
  description: string(),
  required: { $ref: '#/definitions/stringArray' },
  properties: PROPERTIES,
};
const ASSOCIATION: Definition = { name: string(80), prefix: string(80), properties_target: string(80) };
const TIMES: Definition = { created_at: moment, updated_at: moment };
const LINKS: Definition = { self: readOnly, schema: readOnly };
const STRICT = { additionalProperties: false };

const namespace = {
  name: 'namespace',
  properties: {
    namespace: { ...string(80), description: 'The unique namespace text.' },
    display_name: { ...string(80), description: 'The name of the namespace for people.' },
    description: { ...string(500), description: 'What the namespace is about, for people.' },
    visibility: { type: 'string', enum: ['public', 'private'], description: 'Scope of namespace accessibility.' },
    protected: { type: 'boolean', description: 'If true, namespace will not be deletable.' },
    owner: { ...string(255), description: 'Owner of the namespace.' },
    ...TIMES,
    ...LINKS,
    resource_type_associations: { type: 'array', items: { type: 'object', properties: ASSOCIATION } },
    properties: PROPERTIES,
    objects: { type: 'array', items: { type: 'object', properties: OBJECT } },
    tags: { type: 'array', items: { type: 'object', properties: { name: string() } } },
  },
  ...STRICT,
  definitions: DEFINITIONS,
  required: ['namespace'],
};
const object = {
  name: 'object',
  properties: { ...OBJECT, ...LINKS, ...TIMES },
  ...STRICT,
  definitions: DEFINITIONS,
  required: ['name'],
};
const property = {
  name: 'property',
  properties: PROPERTY,
  ...STRICT,
  definitions: { ...NUMBERS, stringArray: { ...strings, minItems: 1, uniqueItems: true } },
  required: ['type', 'title', 'name'],
};
const tag = { name: 'tag', properties: { name: string(80), ...TIMES }, ...STRICT, required: ['name'] };
const resourceType = {
  name: 'resource_type_association',
  properties: { ...ASSOCIATION, ...TIMES },
  ...STRICT,
  required: ['name'],
};

function collectionOf(name: string, items: Definition) {
  const { definitions, ...item } = items;
  return {
    name,
    properties: {
      [name]: { type: 'array', items: item },
      first: { type: 'string' },
      next: { type: 'string' },
      schema: { type: 'string' },
    },
    ...(definitions ? { definitions } : {}),
    links: [
      { rel: 'first', href: '{first}' },
      { rel: 'next', href: '{next}' },
      { rel: 'describedby', href: '{schema}' },
    ],
  };
}

/** The JSON schemas of metadata definitions by the last part of their path, `/v2/schemas/metadefs/<name>`. */
export const METADEF_SCHEMAS: Readonly<Record<string, Definition>> = {
  namespace,
  namespaces: collectionOf('namespaces', namespace),
  object,
  objects: collectionOf('objects', object),
  property,
  properties: {
    ...collectionOf('properties', property),
    properties: {
      properties: {
        type: 'object',
        additionalProperties: { type: 'object', properties: PROPERTY, ...STRICT, required: ['type', 'title'] },
      },
      first: { type: 'string' },
      next: { type: 'string' },
      schema: { type: 'string' },
    },
  },
  tag,
  tags: collectionOf('tags', tag),
  resource_type: resourceType,
  resource_types: collectionOf('resource_type_associations', resourceType),
};
