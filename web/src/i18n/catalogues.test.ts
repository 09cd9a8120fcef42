import { describe, expect, it } from 'vitest';
import { translate } from './i18n';

const all = import.meta.glob<Record<string, string>>('./{fr,en}/*.json', { eager: true, import: 'default' });
const names = [...new Set(Object.keys(all).map((path) => path.split('/')[2]))];
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort();

describe.each(names)('catalogue %s', (name) => {
  const fr = all[`./fr/${name}`] ?? {};
  const en = all[`./en/${name}`] ?? {};

  it('has the same keys in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort());
  });

  it('fills the same placeholders in both languages', () => {
    for (const key of Object.keys(fr)) expect(placeholders(en[key] ?? ''), key).toEqual(placeholders(fr[key] ?? ''));
  });

  it('has both plural forms when it has one', () => {
    for (const key of Object.keys(fr)) {
      if (key.endsWith('_one')) expect(fr, key).toHaveProperty([key.replace(/_one$/, '_other')]);
    }
  });

  it('speaks as look.md asks: no « veuillez », no exclamation mark, no empty text, typographic apostrophes', () => {
    for (const [key, text] of [...Object.entries(fr), ...Object.entries(en)]) {
      expect(text.trim(), key).not.toBe('');
      expect(text, key).not.toMatch(/veuillez/i);
      expect(text, key).not.toContain('!');
      expect(text, key).not.toMatch(/\w'\w/);
    }
  });
});

describe('translate', () => {
  const messages = { hello: 'Bonjour {{name}}', n_one: '{{count}} médecin', n_other: '{{count}} médecins' };

  it('fills placeholders', () => {
    expect(translate(messages, 'fr', 'hello', { name: 'Zoé' })).toBe('Bonjour Zoé');
  });

  it('counts as each language does: zero is singular in French, plural in English', () => {
    expect(translate(messages, 'fr', 'n', { count: 0 })).toBe('0 médecin');
    expect(translate(messages, 'en', 'n', { count: 0 })).toBe('0 médecins');
    expect(translate(messages, 'fr', 'n', { count: 2 })).toBe('2 médecins');
  });

  it('shows the key of a text that is missing', () => {
    expect(translate(messages, 'fr', 'nowhere')).toBe('nowhere');
  });
});
