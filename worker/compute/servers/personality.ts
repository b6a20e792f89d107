import { badRequest } from '../../http/errors.ts';

/** A file that a guest finds on its config drive and at the metadata service. */
export interface InjectedFile {
  path: string;
  /** Base64. */
  contents: string;
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The files that a request brings, as clients up to 2.56 may. @throws ApiError 400 without a path, or not base64 */
export function filesOf(
  personality: readonly { path?: string | undefined; contents?: string | undefined }[] = [],
): InjectedFile[] {
  return personality.map(({ path, contents }) => {
    if (path === undefined || contents === undefined) {
      throw badRequest(`Bad personality format: missing ${path === undefined ? 'path' : 'contents'}`);
    }
    const text = contents.replaceAll(/\s/g, '');
    if (!BASE64.test(text) || text.length % 4 !== 0) {
      throw badRequest(`Personality content for ${path} cannot be decoded`);
    }
    return { path, contents: text };
  });
}

/** What of them is limited by quota. */
export function limitedOf(files: readonly InjectedFile[]) {
  const bytes = ({ contents }: InjectedFile) => (contents.length / 4) * 3 - (/=*$/.exec(contents)?.[0].length ?? 0);
  return {
    injected_files: files.length,
    injected_file_path_bytes: Math.max(0, ...files.map(({ path }) => new TextEncoder().encode(path).byteLength)),
    injected_file_content_bytes: Math.max(0, ...files.map(bytes)),
  };
}
