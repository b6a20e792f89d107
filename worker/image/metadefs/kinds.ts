import type { ImageAction } from '../policy.ts';
import type { ItemKind } from './rows.ts';

/** How one kind of what a namespace holds differs from the others. */
export interface Kind {
  kind: Exclude<ItemKind, 'resource_type'>;
  /** In paths and lists. */
  plural: string;
  get: ImageAction;
  list: ImageAction;
  add: ImageAction;
  modify: ImageAction;
  remove: ImageAction;
  /** All of them at once. */
  removeAll: ImageAction[];
  /** In messages. */
  noun: string;
}

export const KINDS = {
  object: {
    ...{ kind: 'object', plural: 'objects', noun: 'metadata definition object' },
    ...{ get: 'get_metadef_object', list: 'get_metadef_objects', add: 'add_metadef_object' },
    ...{ modify: 'modify_metadef_object', remove: 'delete_metadef_object' },
    removeAll: ['delete_metadef_namespace'],
  },
  property: {
    ...{ kind: 'property', plural: 'properties', noun: 'metadata definition property' },
    ...{ get: 'get_metadef_property', list: 'get_metadef_properties', add: 'add_metadef_property' },
    ...{ modify: 'modify_metadef_property', remove: 'remove_metadef_property' },
    removeAll: ['delete_metadef_namespace'],
  },
  tag: {
    ...{ kind: 'tag', plural: 'tags', noun: 'metadata definition tag' },
    ...{ get: 'get_metadef_tag', list: 'get_metadef_tags', add: 'add_metadef_tag' },
    ...{ modify: 'modify_metadef_tag', remove: 'delete_metadef_tag' },
    removeAll: ['delete_metadef_namespace', 'delete_metadef_tags'],
  },
} as const satisfies Record<Kind['kind'], Kind>;
