import { forbidden } from '../../http/errors.ts';

/** @throws ApiError 403 for a change of what the cloud itself brings */
export function notOurs(): never {
  throw forbidden(
    "The cloud's own services, endpoints and regions follow from how it is set up: they cannot be changed.",
  );
}
