/** One figure of a family: its labels, and the number. */
export interface Figure {
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  figures: Figure[];
}

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The text that Prometheus reads (its text-based exposition format, 0.0.4). Families without figures are named all the same. */
export function renderExposition(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, figures }) => {
      const lines = figures.map(({ labels, value }) => `${name}${renderLabels(labels)} ${value}`);
      return [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`, ...lines]
        .map((line) => `${line}\n`)
        .join('');
    })
    .join('');
}

function renderLabels(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
