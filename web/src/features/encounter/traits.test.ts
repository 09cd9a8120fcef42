import { describe, expect, it } from 'vitest';
import { sayIns, sayPhone } from './traits';

const plain = (text: string) => text.replace(/\u00a0/g, ' ');

describe('traits as they are read aloud', () => {
  it('spaces an INS as on a card, Corsica too, and leaves what it does not know', () => {
    expect(plain(sayIns('279035121518989'))).toBe('2 79 03 51 215 189 89');
    expect(plain(sayIns('2 97 02 2A 020 778 78'))).toBe('2 97 02 2A 020 778 78');
    expect(sayIns('123')).toBe('123');
  });
  it('says a French number as people dictate it, a foreign one as it is', () => {
    expect(plain(sayPhone('+33612345678'))).toBe('06 12 34 56 78');
    expect(sayPhone('+221771234567')).toBe('+221771234567');
  });
});
