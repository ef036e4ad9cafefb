import type { Language } from '../kernel/problem.ts';
import { alertMessage, testMessage } from './alert-message.ts';
import type { Content } from './content.ts';
import { digestMessage, reportMessage } from './digest-message.ts';
import type { Message } from './mail-parts.ts';

/** Which files go with a report, and where those lie that are too large. */
export type MessageFiles = { readonly attached: readonly string[]; readonly folder: string | null };

/** What a content says to people, in their language. */
export function messageOf(content: Content, language: Language, files: MessageFiles): Message {
  switch (content.type) {
    case 'alert':
      return alertMessage(content, language);
    case 'digest':
      return digestMessage(content, language);
    case 'report':
      return reportMessage(content, files, language);
    case 'test':
      return testMessage(content, language);
  }
}

/** The same for Slack and what speaks like it: the subject, and the text as it stands below it. Nothing in it is a command. */
export function slackBody({ subject, text }: Message): string {
  const safe = (some: string) => some.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const [, ...rest] = text.split('\n');
  const below = [...rest.join('\n').trim()].slice(0, 2_800).join('');
  return JSON.stringify({
    text: safe(subject),
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `*${safe(subject).replaceAll('*', '∗')}*` } },
      ...(below === '' ? [] : [{ type: 'section', text: { type: 'plain_text', text: below } }]),
    ],
  });
}

/** The same for another system: the content as data, with the subject for people. */
export function webhookBody(content: Content, subject: string): string {
  const type = content.type === 'alert' ? `alert.${content.word}` : content.type;
  return JSON.stringify({ type, timestamp: content.at, data: { subject, ...content } });
}
