import { describe, expect, test } from 'vitest';
import { prepare } from './still';
import { stripped, StripError } from './strip';

const text = (s: string) => [...s].map((c) => c.charCodeAt(0));
const segment = (marker: number, body: number[]) => [0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255, ...body];
const table = segment(0xdb, Array.from({ length: 65 }, (_, i) => i));
const scan = [...segment(0xda, [1, 1, 0, 0, 63, 0]), 0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56];
const end = [0xff, 0xd9];
const bytes = (...parts: number[][]) => Uint8Array.from(parts.flat());
const jpeg = (...before: number[][]) => bytes([0xff, 0xd8], ...before, table, scan, end);

/** Exif as a phone writes it: a maker, the orientation, and a directory of places. */
function phoneExif(turn: number, little: boolean): number[] {
  const u16 = (n: number) => (little ? [n & 255, n >> 8] : [n >> 8, n & 255]);
  const u32 = (n: number) => (little ? [n & 255, (n >> 8) & 255, 0, 0] : [0, 0, (n >> 8) & 255, n & 255]);
  const entry = (tag: number, kind: number, n: number, value: number[]) => [...u16(tag), ...u16(kind), ...u32(n), ...value];
  const tiff = [
    ...text(little ? 'II' : 'MM'), ...u16(42), ...u32(8), ...u16(3),
    ...entry(0x010f, 2, 4, text('ACME')), ...entry(0x0112, 3, 1, [...u16(turn), 0, 0]), ...entry(0x8825, 4, 1, u32(200)),
    ...u32(0), ...text('48.8566 N 2.3522 E'),
  ];
  return segment(0xe1, [...text('Exif\0\0'), ...tiff]);
}

const says = (b: Uint8Array, s: string) => Buffer.from(b).includes(s);

describe('a JPEG', () => {
  test('keeps its picture and loses everything else', () => {
    const icc = segment(0xe2, [...text('ICC_PROFILE\0'), 1, 1, 7, 7]);
    const jfif = segment(0xe0, [...text('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0]);
    const noisy = bytes(
      [...jpeg(jfif, phoneExif(1, true), segment(0xe1, text('http://ns.adobe.com/xap/1.0/\0 place')), segment(0xed, text('Photoshop place')), segment(0xfe, text('place')), segment(0xe2, text('MPF\0place')), icc)],
      [...jpeg(phoneExif(6, true))],
    );
    const clean = stripped(noisy);
    expect(clean.type).toBe('image/jpeg');
    expect(Array.from(clean.bytes)).toEqual(Array.from(jpeg(jfif, icc)));
    for (const word of ['48.8566', 'ACME', 'place', 'xap', 'MPF']) expect(says(clean.bytes, word), word).toBe(false);
  });

  test.each([true, false])('keeps the way up, in the smallest Exif (little-endian: %s)', (little) => {
    const clean = stripped(jpeg(phoneExif(6, little))).bytes;
    expect(clean.length).toBe(jpeg().length + 36);
    expect(clean[2 + 29]).toBe(6);
    // Once more changes nothing: the orientation is read back from what was written.
    expect(Array.from(stripped(clean).bytes)).toEqual(Array.from(clean));
    expect(says(clean, '48.8566')).toBe(false);
  });

  test('of several scans keeps all', () => {
    const progressive = bytes([0xff, 0xd8], table, scan, segment(0xc4, [1, 2, 3]), scan, end);
    expect(Array.from(stripped(progressive).bytes)).toEqual(Array.from(progressive));
  });

  test('that is not whole is refused, whatever is missing', () => {
    const whole = jpeg(phoneExif(6, true));
    for (const n of [2, 3, 5, 40, whole.length - 20, whole.length - 2, whole.length - 1]) expect(() => stripped(whole.subarray(0, n)), String(n)).toThrow(StripError);
  });

  test('with an Exif that makes no sense keeps its picture', () => {
    const nonsense = [[], [1], text('II*\0'), [...text('II*\0'), 255, 255, 255, 255, 0, 0], [...text('MM\0*'), 0, 0, 0, 8, 255, 255]];
    for (const n of nonsense) expect(Array.from(stripped(jpeg(segment(0xe1, [...text('Exif\0\0'), ...n]))).bytes)).toEqual(Array.from(jpeg()));
  });
});

describe('a PNG', () => {
  const chunk = (kind: string, body: number[]) => [0, 0, 0, body.length, ...text(kind), ...body, 0, 0, 0, 0];
  const head = [0x89, ...text('PNG\r\n\x1a\n'), ...chunk('IHDR', Array<number>(13).fill(1))];

  test('keeps its picture and loses its texts, and what stands behind it', () => {
    const noisy = bytes(head, chunk('tEXt', text('Author\0Jeanne')), chunk('eXIf', text('place')), chunk('IDAT', [1, 2]), chunk('IEND', []), text('place'));
    const clean = stripped(noisy);
    expect(clean.type).toBe('image/png');
    expect(Array.from(clean.bytes)).toEqual([...head, ...chunk('IDAT', [1, 2]), ...chunk('IEND', [])]);
  });

  test('that is not whole is refused', () => {
    expect(() => stripped(bytes(head, chunk('IDAT', [1, 2])))).toThrow(StripError);
  });
});

test('anything else is not sent', () => {
  for (const b of [[], [1, 2, 3], text('GIF89a'), text('<html>')]) {
    try {
      stripped(Uint8Array.from(b));
      expect.fail('taken');
    } catch (error) {
      expect((error as StripError).why).toBe('type');
    }
  }
});

test('what is hashed is what is sent', async () => {
  const shot = await prepare(new Blob([jpeg(phoneExif(3, false))]));
  const sent = new Uint8Array(await shot.blob.arrayBuffer());
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', sent));
  expect(shot.digest).toBe(Buffer.from(sum).toString('base64'));
  expect(shot.blob.type).toBe('image/jpeg');
  expect(says(sent, '48.8566')).toBe(false);
});
