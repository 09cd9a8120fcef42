/**
 * Catalogues in the i18next JSON format (flat keys, `{{name}}` placeholders,
 * `_one`/`_other` plural suffixes), one file per feature and language, loaded
 * only when a page needs them. The loader is ours because the library costs
 * 20 kB of the 150 kB that a patient's page may weigh.
 */
import { createContext, use, useContext } from 'react';
import type { Catalogues } from './catalogues';

export type Language = 'fr' | 'en';
export const languages: readonly Language[] = ['fr', 'en'];

export type Namespace = keyof Catalogues;
type Base<K> = K extends `${infer B}_one` ? B : K extends `${infer B}_other` ? B : K;
export type Key<N extends Namespace> = Base<keyof Catalogues[N] & string>;
export type Params = Record<string, string | number>;
export type Translate<N extends Namespace> = (key: Key<N>, params?: Params) => string;
type Messages = Record<string, string>;

const files = import.meta.glob<{ default: Messages }>('./{fr,en}/*.json');
const cache = new Map<string, Promise<Messages>>();

/** Loads one catalogue once; a failed load is forgotten so that a retry can succeed. */
export function loadCatalogue(language: Language, namespace: Namespace): Promise<Messages> {
  const path = `./${language}/${namespace}.json`;
  let found = cache.get(path);
  if (!found) {
    const load = files[path];
    if (!load) return Promise.reject(new Error(`no catalogue ${path}`));
    found = load().then((m) => m.default);
    found.catch(() => cache.delete(path));
    cache.set(path, found);
  }
  return found;
}

/** Looks a key up and fills its placeholders; an unknown key shows itself so that tests see it. */
export function translate(messages: Messages, language: Language, key: string, params: Params = {}): string {
  let text = messages[key];
  if (typeof params.count === 'number') {
    const form = new Intl.PluralRules(language).select(params.count) === 'one' ? 'one' : 'other';
    text = messages[`${key}_${form}`] ?? text;
  }
  if (text === undefined) return key;
  return text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

export const LanguageContext = createContext<{ language: Language; setLanguage: (l: Language) => void }>({
  language: 'fr',
  setLanguage: () => undefined,
});

export function useLanguage() {
  return useContext(LanguageContext);
}

/** Translation function of one catalogue; suspends while the catalogue loads. */
export function useT<N extends Namespace>(namespace: N): Translate<N> {
  const { language } = useLanguage();
  const messages = use(loadCatalogue(language, namespace));
  return (key, params) => translate(messages, language, key, params);
}

const remembered = 'visavis.language';

/** The language chosen before on this device, else the browser's, else French. */
export function firstLanguage(): Language {
  try {
    const kept = localStorage.getItem(remembered);
    if (kept === 'fr' || kept === 'en') return kept;
  } catch {
    // Storage refused (private mode): the browser's language is used.
  }
  const wanted = (navigator.languages ?? [navigator.language]).map((l) => l.slice(0, 2));
  return wanted.find((l): l is Language => l === 'fr' || l === 'en') ?? 'fr';
}

export function rememberLanguage(language: Language) {
  document.documentElement.lang = language;
  try {
    localStorage.setItem(remembered, language);
  } catch {
    // Storage refused: the choice holds until the page closes.
  }
}
