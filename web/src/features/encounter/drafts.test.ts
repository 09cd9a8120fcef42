import { describe, expect, it } from 'vitest';
import { Drafts } from './drafts';

describe('Drafts', () => {
  it('gives the version on the screen to the signature, until its editor goes', () => {
    const drafts = new Drafts();
    let tag = '3';
    const leave = drafts.add('rx', () => Promise.resolve(true), () => tag);
    tag = '4';
    expect(drafts.tag('rx')).toBe('4');
    expect(drafts.tag('other')).toBeUndefined();
    leave();
    expect(drafts.tag('rx')).toBeUndefined();
  });

  it('an editor that leaves late does not take its successor away', () => {
    const drafts = new Drafts();
    const leave = drafts.add('rx', () => Promise.resolve(true), () => '1');
    drafts.add('rx', () => Promise.resolve(false), () => '2');
    leave();
    expect(drafts.tag('rx')).toBe('2');
  });
});
