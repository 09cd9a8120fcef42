import { describe, expect, it } from 'vitest';
import { readDate, typeDate } from './date';

const typed = (keys: string) => [...keys].reduce((text, key) => typeDate(text, text + key), '');

describe('typeDate', () => {
  it('puts the slashes in for digits alone', () => {
    expect(typed('04031952')).toBe('04/03/1952');
  });

  it('lets people type their own separators', () => {
    expect(typed('04/03/1952')).toBe('04/03/1952');
    expect(typed('4.3.1952')).toBe('4/3/1952');
    expect(typed('4-3-1952')).toBe('4/3/1952');
  });

  it('splits a pasted or autofilled run of digits', () => {
    expect(typeDate('', '04031952')).toBe('04/03/1952');
  });

  it('never fights with someone who erases', () => {
    expect(typeDate('04/', '04')).toBe('04');
    expect(typeDate('04', '0')).toBe('0');
  });

  it('drops letters', () => {
    expect(typeDate('', 'a4')).toBe('4');
  });
});

describe('readDate', () => {
  it.each([
    ['04/03/1952', '1952-03-04'],
    ['4/3/1952', '1952-03-04'],
    ['29/02/2024', '2024-02-29'],
  ])('reads %s', (text, day) => expect(readDate(text)).toBe(day));

  it.each(['', '31/02/1990', '29/02/2023', '00/01/1990', '01/13/1990', '1952-03-04', '04/03/52', '04/03/1700'])('refuses « %s »', (text) =>
    expect(readDate(text)).toBeNull(),
  );
});
