import type { ProjectFamily } from './show-project.ts';
import { type ProjectRow, projectView } from './views.ts';

/** How much of a family is shown: whole projects (of which only one's own), or ids nested in each other. */
export type FamilyForm = 'list' | 'ids' | undefined;

/** A project with its parents and its subtree in the form that was asked for. */
export function familyView(
  baseUrl: string,
  family: ProjectFamily,
  forms: { parents: FamilyForm; subtree: FamilyForm },
) {
  const { project, parents, subtree, own } = family;
  const list = (rows: ProjectRow[]) =>
    rows.filter((row) => own.has(row.id)).map((row) => ({ project: projectView(baseUrl, row) }));
  return {
    ...projectView(baseUrl, project),
    ...(forms.parents === 'list' ? { parents: list(parents) } : {}),
    ...(forms.parents === 'ids' ? { parents: idsUpward(project, parents) } : {}),
    ...(forms.subtree === 'list' ? { subtree: list(subtree) } : {}),
    ...(forms.subtree === 'ids' ? { subtree: idsDownward(project.id, subtree) } : {}),
  };
}

type Nested = { [id: string]: Nested | null };

/** `{parent: {grandparent: {domain: null}}}` */
function idsUpward(project: ProjectRow, above: ProjectRow[]): Nested {
  const parent = above.find((row) => row.id === project.parentId);
  return parent ? { [parent.id]: idsUpward(parent, above) } : { [project.domainId]: null };
}

/** `{child: {grandchild: null}}`, or null without children. */
function idsDownward(id: string, below: ProjectRow[]): Nested | null {
  const children = below.filter((row) => row.parentId === id);
  if (children.length === 0) return null;
  return Object.fromEntries(children.map((child) => [child.id, idsDownward(child.id, below)]));
}
