import { createHash } from 'node:crypto';
import { type Language, type Problem, problems, problemText } from '../kernel/problem.ts';
import { asMarkup, html, type Markup } from '../platform/markup.ts';
import type { Link } from './link-store.ts';
import { passwordLength } from './password-rule.ts';

const style = `body{font:16px/1.6 system-ui,sans-serif;background:#f6f7f9;color:#16191d;margin:0;display:grid;place-items:center;
min-height:100vh}main{background:#fff;border:1px solid #dfe3e8;border-radius:12px;padding:32px;width:min(26rem,90vw)}
h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:.25rem 0 1rem;color:#4b5563}label{display:block;margin:.75rem 0}
input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.5rem .625rem;margin-top:.25rem;
border:1px solid #aab2bd;border-radius:8px}button{font:inherit;width:100%;margin-top:1rem;padding:.625rem;border:0;
border-radius:8px;background:#1f5eff;color:#fff;cursor:pointer}.refused{background:#fdecea;color:#8a1c12;padding:.625rem;
border-radius:8px}@media(prefers-color-scheme:dark){body{background:#101317;color:#e8eaed}main{background:#181c22;
border-color:#2c333c}p{color:#a3adb8}input{background:#101317;color:inherit;border-color:#4a5460}}`;
const styleHash = createHash('sha256').update(style).digest('base64');

/** A page that runs no script, loads nothing, is shown in no frame, and does not say its address to others. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

const words = {
  ko: {
    setup: '정산 최초 설정',
    invite: '정산에 오신 것을 환영합니다',
    recover: '비밀번호 다시 정하기',
    about: '첫 관리자가 될 사람의 이름과 이메일, 비밀번호를 정하십시오.',
    name: '이름',
    email: '이메일',
    password: `비밀번호 (${passwordLength.min}자 이상)`,
    button: '정하기',
    refused: '들어갈 수 없습니다',
    done: '되었습니다',
    canSignIn: '이제 이 주소로 로그인할 수 있습니다. 이 창은 닫아도 됩니다.',
  },
  en: {
    setup: 'Set up Jeongsan',
    invite: 'Welcome to Jeongsan',
    recover: 'Choose a new password',
    about: 'Name, e-mail address and password of the first administrator.',
    name: 'Name',
    email: 'E-mail',
    password: `Password (${passwordLength.min} characters or more)`,
    button: 'Set',
    refused: 'This leads nowhere',
    done: 'Done',
    canSignIn: 'You can sign in with this address now, and close this window.',
  },
} as const;

/** Where a link that works once is opened. */
export function linkUrl(publicUrl: string, token: string): string {
  return `${publicUrl}/auth/link/${token}`;
}

/** The form behind a link, with why the last try was refused. */
export function linkPage(link: Link, language: Language, refusal?: Problem): string {
  const text = words[language];
  return page(
    language,
    text[link.purpose],
    html`<p>${link.who ?? text.about}</p>
${refusal ? html`<p class="refused" role="alert">${problemText(refusal.code, refusal.details, language)}</p>` : null}
<form method="post"><label>${text.name}<input name="name" autocomplete="name" maxlength="200" value="${link.name ?? ''}" required></label>
${link.who === null ? html`<label>${text.email}<input name="email" type="email" autocomplete="username" maxlength="200" required></label>` : null}
<label>${text.password}<input name="password" type="password" autocomplete="new-password" minlength="${passwordLength.min}" maxlength="${passwordLength.max}" required></label>
<button>${text.button}</button></form>`,
  );
}

/** What who came in by a link sees. */
export function donePage(who: string, language: Language): string {
  const text = words[language];
  return page(language, text.done, html`<p>${who}</p><p>${text.canSignIn}</p>`);
}

/** Why a link, or the identity provider, led nowhere. */
export function refusalPage({ code, details }: Problem, language: Language): Response {
  const text = html`<p class="refused" role="alert">${problemText(code, details, language)}</p>`;
  return new Response(page(language, words[language].refused, text), {
    status: problems[code].status,
    headers: { ...pageHeaders, 'cache-control': 'no-store' },
  });
}

function page(language: Language, title: string, content: Markup): string {
  return html`<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width"><style>${asMarkup(style)}</style></head>
<body><main><h1>${title}</h1>${content}</main></body></html>`.markup;
}
