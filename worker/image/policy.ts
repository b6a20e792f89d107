import type { ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';
import { allows, type Policy } from '../http/policy.ts';

export type ImageAction =
  | 'add_image'
  | 'get_image'
  | 'get_images'
  | 'modify_image'
  | 'delete_image'
  | 'upload_image'
  | 'download_image'
  | 'publicize_image'
  | 'communitize_image'
  | 'deactivate'
  | 'reactivate'
  | 'add_member'
  | 'delete_member'
  | 'modify_member'
  | 'copy_image'
  | 'delete_image_location'
  | 'stores_info_detail'
  | 'tasks_api_access'
  | 'cache_list'
  | 'cache_delete'
  | 'cache_image'
  | 'get_metadef_namespace'
  | 'get_metadef_namespaces'
  | 'modify_metadef_namespace'
  | 'add_metadef_namespace'
  | 'delete_metadef_namespace'
  | 'get_metadef_object'
  | 'get_metadef_objects'
  | 'modify_metadef_object'
  | 'add_metadef_object'
  | 'delete_metadef_object'
  | 'list_metadef_resource_types'
  | 'get_metadef_resource_type'
  | 'add_metadef_resource_type_association'
  | 'remove_metadef_resource_type_association'
  | 'get_metadef_property'
  | 'get_metadef_properties'
  | 'modify_metadef_property'
  | 'add_metadef_property'
  | 'remove_metadef_property'
  | 'get_metadef_tag'
  | 'get_metadef_tags'
  | 'modify_metadef_tag'
  | 'add_metadef_tag'
  | 'add_metadef_tags'
  | 'delete_metadef_tag'
  | 'delete_metadef_tags';

/** Who may do what. Which images an actor sees at all is said by `visibleImages`; one that it does not see is a 404. */
export const imagePolicy: Policy<ImageAction> = {
  add_image: 'project-member',
  get_image: 'project-reader',
  get_images: 'project-reader',
  modify_image: 'project-member',
  delete_image: 'project-member',
  upload_image: 'project-member',
  download_image: 'project-member',
  publicize_image: 'admin',
  communitize_image: 'project-member',
  deactivate: 'project-member',
  reactivate: 'project-member',
  add_member: 'project-member',
  delete_member: 'project-member',
  modify_member: 'project-member',
  copy_image: 'admin',
  delete_image_location: 'admin',
  stores_info_detail: 'admin',
  tasks_api_access: 'admin',
  cache_list: 'admin',
  cache_delete: 'admin',
  cache_image: 'admin',
  get_metadef_namespace: 'project-reader',
  get_metadef_namespaces: 'project-reader',
  modify_metadef_namespace: 'admin',
  add_metadef_namespace: 'admin',
  delete_metadef_namespace: 'admin',
  get_metadef_object: 'project-reader',
  get_metadef_objects: 'project-reader',
  modify_metadef_object: 'admin',
  add_metadef_object: 'admin',
  delete_metadef_object: 'admin',
  list_metadef_resource_types: 'project-reader',
  get_metadef_resource_type: 'project-reader',
  add_metadef_resource_type_association: 'admin',
  remove_metadef_resource_type_association: 'admin',
  get_metadef_property: 'project-reader',
  get_metadef_properties: 'project-reader',
  modify_metadef_property: 'admin',
  add_metadef_property: 'admin',
  remove_metadef_property: 'admin',
  get_metadef_tag: 'project-reader',
  get_metadef_tags: 'project-reader',
  modify_metadef_tag: 'admin',
  add_metadef_tag: 'admin',
  add_metadef_tags: 'admin',
  delete_metadef_tag: 'admin',
  delete_metadef_tags: 'admin',
};

/**
 * Refuses what the table does not allow.
 * @param projectId - whose image it is done to; absent where reading what is visible is enough
 * @throws ApiError 403 as Glance words it
 */
export function authorizeImage(ctx: ActorContext, action: ImageAction, projectId?: string): void {
  const target = projectId === undefined ? {} : { projectId };
  if (!allows(ctx, imagePolicy[action], target)) {
    throw forbidden(`You are not authorized to complete ${action} action.`);
  }
}
