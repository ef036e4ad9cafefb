import type { Language } from '../../kernel/problem.ts';

/** The language that `Accept-Language` likes best of ours; `usual` where it names neither. */
export function languageFor(accepted: string | null, usual: Language): Language {
  let best: { readonly language: Language; readonly quality: number } | undefined;
  for (const part of (accepted ?? '').slice(0, 1000).split(',')) {
    const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
    const primary = tag.split('-')[0]?.trim();
    if (primary !== 'ko' && primary !== 'en') continue;
    const given = parameters.find((each) => each.trim().startsWith('q='));
    const quality = given === undefined ? 1 : Number(given.trim().slice(2));
    if (quality > (best?.quality ?? 0) && quality <= 1) best = { language: primary, quality };
  }
  return best?.language ?? usual;
}
