/** Words for a Problem: by its code when the page knows it, else as the server said it. */
import { use } from 'react';
import type { Problem } from '@/api/client';
import { loadCatalogue, translate, useLanguage } from './i18n';

export type ProblemWords = { what: string; now: string; retry: string; reference: string; canRetry: boolean };

/** Kinds for which asking again the same thing cannot help. */
const final = new Set([400, 401, 403, 404, 410, 413, 422]);

export function useProblemWords(): (problem: Problem) => ProblemWords {
  const { language } = useLanguage();
  const messages = use(loadCatalogue(language, 'problems'));
  const say = (key: string, params?: Record<string, string | number>) => translate(messages, language, key, params);
  return (problem) => {
    const known = messages[problem.code] !== undefined;
    const seconds = problem.retryAfter ?? 60;
    const params = { minutes: Math.max(1, Math.ceil(seconds / 60)), count: Math.max(1, Math.ceil(seconds / 60)) };
    return {
      what: known ? say(problem.code, params) : problem.title || say('internal'),
      now: known ? say(`${problem.code}.now`, params) : problem.detail || say('internal.now'),
      retry: say('retry'),
      reference: problem.ref ? say('reference', { code: problem.code, ref: problem.ref }) : say('code', { code: problem.code }),
      canRetry: !final.has(problem.status),
    };
  };
}
