import { Problem } from '../kernel/problem.ts';

const spelt = /^[a-z0-9][a-z0-9._+-]*@[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]+$/;
const serviceDomain = 'service.invalid';

/**
 * An e-mail address in the one spelling that we know it by: without spaces around it, in small letters of ASCII, so that
 * no two people have addresses that look the same.
 * @throws Problem `address_unusable`
 */
export function addressOf(text: string): string {
  const email = text.trim().toLowerCase();
  if (spelt.test(email) && email.length <= 200 && !email.endsWith(`@${serviceDomain}`)) return email;
  throw new Problem('address_unusable', { email: text.slice(0, 200) });
}

/** Of a service, which has no address, what stands in its place. @throws Problem `address_unusable` */
export function serviceAddressOf(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,60}$/.test(name)) return `${name}@${serviceDomain}`;
  throw new Problem('address_unusable', { email: name.slice(0, 200) });
}
