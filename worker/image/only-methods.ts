import { ApiError } from '../http/errors.ts';

/** Answers a path's other methods. @param allow - those that it has */
export const onlyMethods = (allow: string) => (): never => {
  throw new ApiError(405, 'The method specified is not allowed for this resource.', { headers: { allow } });
};
