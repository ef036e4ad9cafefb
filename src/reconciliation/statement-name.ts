import { check } from '../kernel/check.ts';

/** What the name of a statement file says. `day` as the provider writes it, YYYYMMDD; `mid` where it has one file per MID. */
export type NamedBy = { readonly day: string; readonly mid?: string };

/** `KSNET_TRX_{mid}_{day}.csv` with its parts filled in. A bug if the template needs a MID and none is given. */
export function formatStatementName(template: string, by: NamedBy): string {
  return template.replace(/\{(day|mid)\}/g, (_, part: 'day' | 'mid') => {
    const value = by[part];
    check(value !== undefined, `${template} needs its ${part}`);
    return value;
  });
}

/** The parts of a name that follows the template, or undefined for any other name. */
export function readStatementName(template: string, name: string): NamedBy | undefined {
  const pattern = template
    .split(/(\{day\}|\{mid\})/)
    .map((part) => {
      if (part === '{day}') return String.raw`(?<day>\d{8})`;
      if (part === '{mid}') return '(?<mid>[A-Za-z0-9-]+)';
      return RegExp.escape(part);
    })
    .join('');
  const groups = new RegExp(`^${pattern}$`).exec(name)?.groups;
  if (!groups) return undefined;
  const { day = '', mid } = groups;
  return mid === undefined ? { day } : { day, mid };
}
