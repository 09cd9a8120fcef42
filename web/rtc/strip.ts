// What a camera writes into a photo besides the picture (where, when, with which telephone, a second picture behind
// the first) is taken out before the photo is hashed and sent (product.md C8). Of the Exif only the orientation stays.
// The server refuses what this module would have taken out: documents/picture.

/** Why a file is not sent. */
export type StripCause = 'type' | 'broken';

export class StripError extends Error {
  constructor(readonly why: StripCause) {
    super(why);
  }
}

const starts = (b: Uint8Array, at: number, text: string) => [...text].every((c, i) => b[at + i] === c.charCodeAt(0));

/** The same picture without its metadata: a JPEG or a PNG, by what the bytes are and not by what they are called. */
export function stripped(b: Uint8Array): { bytes: Uint8Array<ArrayBuffer>; type: 'image/jpeg' | 'image/png' } {
  if (b[0] === 0xff && b[1] === 0xd8) return { bytes: jpeg(b), type: 'image/jpeg' };
  if (b[0] === 0x89 && starts(b, 1, 'PNG\r\n\x1a\n')) return { bytes: png(b), type: 'image/png' };
  throw new StripError('type');
}

/** ITU-T T.81 annex B: SOI, segments, coded picture, EOI. */
function jpeg(b: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept: Uint8Array[] = [];
  let turn = 1;
  let at = 2;
  for (;;) {
    if (b[at] !== 0xff || at + 1 >= b.length) throw new StripError('broken');
    const marker = b[at + 1] as number;
    if (marker === 0xff) {
      at += 1; // fill
      continue;
    }
    if (marker === 0xd9) break;
    const end = at + 2 + word(b, at + 2);
    if (end > b.length || end < at + 4) throw new StripError('broken');
    if (marker === 0xe1 && starts(b, at + 4, 'Exif\0\0')) turn = orientation(b.subarray(at + 10, end)) ?? turn;
    const after = marker === 0xda ? scanEnd(b, end) : end;
    if (plain(b, at, marker, end)) kept.push(b.subarray(at, after));
    at = after;
  }
  return joined([Uint8Array.of(0xff, 0xd8), ...(turn > 1 ? [exif(turn)] : []), ...kept, Uint8Array.of(0xff, 0xd9)]);
}

/** Does a segment belong to the picture itself? */
function plain(b: Uint8Array, at: number, marker: number, end: number): boolean {
  if (marker === 0xe0) return starts(b, at + 4, 'JFIF\0') && end - at === 18; // without a small picture
  if (marker === 0xe2) return starts(b, at + 4, 'ICC_PROFILE\0');
  if (marker === 0xee) return starts(b, at + 4, 'Adobe') && end - at === 16;
  return marker >= 0xc0 && marker < 0xe0 && (marker < 0xd0 || marker > 0xd9);
}

/** The end of the coded picture that follows a scan's head. */
function scanEnd(b: Uint8Array, from: number): number {
  for (let i = from; i + 1 < b.length; i++) {
    const next = b[i + 1] as number;
    if (b[i] === 0xff && next !== 0 && (next < 0xd0 || next > 0xd7)) return i;
  }
  throw new StripError('broken');
}

const word = (b: Uint8Array, at: number) => ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0);

/** Tag 0x0112 of the first directory of a TIFF (CIPA DC-008 §4.6.4): 1 to 8. */
function orientation(tiff: Uint8Array): number | undefined {
  if (tiff.length < 14) return undefined;
  const v = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = v.getUint16(0) === 0x4949;
  const first = v.getUint32(4, little);
  if (first + 2 > tiff.length) return undefined;
  const count = v.getUint16(first, little);
  for (let i = 0; i < count; i++) {
    const entry = first + 2 + 12 * i;
    if (entry + 12 > tiff.length) return undefined;
    if (v.getUint16(entry, little) !== 0x0112) continue;
    const value = v.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

/** The smallest Exif there is: one directory, one entry. */
function exif(turn: number): Uint8Array {
  return Uint8Array.of(
    0xff, 0xe1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, // APP1, its length, "Exif"
    0x4d, 0x4d, 0, 42, 0, 0, 0, 8, // big-endian TIFF
    0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turn, 0, 0, // orientation
    0, 0, 0, 0, // no other directory
  );
}

const chunks = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'cHRM', 'gAMA', 'iCCP', 'sBIT', 'sRGB', 'cICP', 'pHYs', 'bKGD']);

/** W3C PNG third edition §5: chunks up to IEND. */
function png(b: Uint8Array): Uint8Array<ArrayBuffer> {
  const v = new DataView(b.buffer, b.byteOffset, b.byteLength);
  const kept = [b.subarray(0, 8)];
  for (let at = 8; at + 12 <= b.length; ) {
    const end = at + 12 + v.getUint32(at);
    if (end > b.length) break;
    const kind = String.fromCharCode(...b.subarray(at + 4, at + 8));
    if (chunks.has(kind)) kept.push(b.subarray(at, end));
    if (kind === 'IEND') return joined(kept);
    at = end;
  }
  throw new StripError('broken');
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
