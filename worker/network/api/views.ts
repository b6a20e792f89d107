/** A time as Neutron writes it. */
export const isoTime = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`;

/** What every resource ends with. */
export function standardView(row: {
  projectId: string;
  description: string;
  tags: string[];
  revision: number;
  createdAtMs: number;
  updatedAtMs: number;
}) {
  return {
    tenant_id: row.projectId,
    project_id: row.projectId,
    description: row.description,
    tags: row.tags,
    created_at: isoTime(row.createdAtMs),
    updated_at: isoTime(row.updatedAtMs),
    revision_number: row.revision,
  };
}
