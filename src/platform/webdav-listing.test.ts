import { expect, it } from 'vitest';
import { readMultistatus } from './webdav-listing.ts';

const at = Date.UTC(2026, 10, 21, 3, 0, 0);

it.each([
  [
    'a prefix (Apache)',
    `<?xml version="1.0" encoding="utf-8"?>
     <D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
     <D:response xmlns:lp1="DAV:"><D:href>/dav/res/</D:href><D:propstat><D:prop>
       <lp1:resourcetype><D:collection/></lp1:resourcetype><lp1:getlastmodified>Sat, 21 Nov 2026 03:00:00 GMT</lp1:getlastmodified>
     </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
     <D:propstat><D:prop><D:getcontentlength/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>
     <D:response xmlns:lp1="DAV:"><D:href>/dav/res/a%20b</D:href><D:propstat><D:prop>
       <lp1:resourcetype/><lp1:getcontentlength>12</lp1:getcontentlength>
       <lp1:getlastmodified>Sat, 21 Nov 2026 03:00:00 GMT</lp1:getlastmodified>
     </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>`,
    [
      { href: '/dav/res/', isFolder: true, bytes: undefined, modifiedAtMs: at },
      { href: '/dav/res/a%20b', isFolder: false, bytes: 12, modifiedAtMs: at },
    ],
  ],
  [
    'no prefix, whole addresses, escapes',
    `<multistatus xmlns="DAV:"><response><href>https://h:8443/res/a&amp;b&#x26;&#38;</href><propstat><prop>
       <getcontentlength>0</getcontentlength><resourcetype></resourcetype>
       <getlastmodified>Sat, 21 Nov 2026 03:00:00 GMT</getlastmodified></prop>
       <status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`,
    [{ href: 'https://h:8443/res/a&b&&', isFolder: false, bytes: 0, modifiedAtMs: at }],
  ],
  [
    'what was not found is not known, whatever it holds',
    `<multistatus xmlns="DAV:"><response><href>/res/a</href><propstat><prop><getcontentlength>7</getcontentlength></prop>
       <status>HTTP/1.1 404 Not Found</status></propstat></response></multistatus>`,
    [{ href: '/res/a', isFolder: false, bytes: undefined, modifiedAtMs: undefined }],
  ],
  ['an empty folder', '<D:multistatus xmlns:D="DAV:"/>', []],
  ['a page of something else', '<html><body>multistatus</body></html>', undefined],
])('reads %s', (_, xml, entries) => {
  expect(readMultistatus(xml)).toEqual(entries);
});

it.each([
  ['elements that never end', '<D:response>'],
  ['tags that never end', '<D:response '],
  ['one element in another', '<response><href>'],
])('is not kept busy by a listing of %s', (_, piece) => {
  // Of the processor's time, not of the clock's: other tests run meanwhile.
  const began = process.cpuUsage();
  expect(readMultistatus(`<D:multistatus xmlns:D="DAV:">${piece.repeat(100_000)}</D:multistatus>`)).toEqual([]);
  expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
});
