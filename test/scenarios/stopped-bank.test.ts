import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeMerchants } from '../../src/payout/payout.fixture.ts';
import { requestPayout } from '../../src/payout/request-store.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { repositoryRoot } from '../../src/platform/config.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { type MailServer, openMailServer } from '../support/mail-server.ts';
import { runProcess } from '../support/processes.ts';
import { jeongsan, startServer, until } from '../support/servers.ts';

let installation: Installation;
let smtp: MailServer;
beforeEach(async () => {
  installation = await createInstallation();
  smtp = await openMailServer();
});
afterEach(async () => {
  await smtp.close();
  await installation.close();
});

test('a bank that stops is told of by one mail, in time, and by an all-clear when it is back', async () => {
  const accountsFile = path.join(installation.home, 'accounts.csv');
  const holders = Array.from({ length: 20 }, (_, n) => `P${String(n + 1).padStart(5, '0')}`);
  const accounts = holders.map((id) => `004,100-${id.slice(1)},홀더${id}\n`).join('');
  writeFileSync(accountsFile, `bankCode,accountNo,holder\n${accounts}`);
  const words = ['sandbox', 'bank', '--mood', 'calm', '--closed', '00:00-00:00', '--accounts', accountsFile, '--json'];
  const bankOf = async (port = '0') => {
    const bank = runProcess(path.join(repositoryRoot, 'src/cli.ts'), [...words, '--port', port], {
      JEONGSAN_HOME: installation.home,
    });
    return { bank, ...(JSON.parse(await bank.line()) as { banks: Record<string, string>; port: number }) };
  };
  const first = await bankOf();
  const env = {
    ...first.banks,
    JEONGSAN_SMTP_URL: smtp.url,
    JEONGSAN_MAIL_FROM: 'jeongsan@pg.example',
    JEONGSAN_LANGUAGE: 'ko',
  };
  const people = ['--kind', 'smtp', '--to', 'kim@pg.example', '--language', 'ko', '--on', '--reason', 'test'];
  const server = await startServer(installation, env);
  await jeongsan(installation, ['alerts', 'channels', 'set', 'in-charge', ...people], { env });
  await jeongsan(installation, ['alerts', 'rules', 'set', 'urgent', '--gather', '1s', '--calm', '1s'], { env });
  const cipher = await openCipher({ home: installation.home });
  const merchants = await makeMerchants(installation.db.pool, cipher, {
    count: 20,
    balanceWon: 1_000_000n,
    known: 'json-van',
  });
  first.bank.kill('SIGKILL');
  await first.bank.ended;
  for (const merchantId of merchants) {
    const wanted = { merchantId, amountWon: 10_000n, key: `w-${merchantId}`, who: 'kim' };
    await requestPayout(installation.db.pool, wanted, { bank: 'json-van', now: Temporal.Now.instant() });
  }
  const about = (what: RegExp) => smtp.mails.filter(({ subject = '' }) => what.test(subject));
  const [told] = await until('mail about the bank', async () => {
    const found = about(/은행 연결 차단/);
    return found.length > 0 && found;
  });
  expect(told?.envelopeTo).toEqual(['kim@pg.example']);
  expect(told?.text).toContain('json-van');
  await bankOf(String(first.port));
  await until(
    'end of every payout',
    async () => {
      const { rows } = await installation.db.pool.query<{ open: bigint }>(
        `select count(*) as open from payout where finished_at is null`,
      );
      return rows[0]?.open === 0n;
    },
    120_000,
  );
  const bankMails = await until('all-clear', async () => {
    const found = about(/은행 연결 차단/);
    return found.some(({ subject = '' }) => subject.includes('해제')) && found;
  });
  expect(bankMails).toHaveLength(2);
  expect(bankMails[1]?.text).toContain('json-van');
  server.process.kill('SIGTERM');
  expect(await server.process.ended).toBe(0);
}, 300_000);
