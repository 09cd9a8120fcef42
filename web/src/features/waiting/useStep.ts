/**
 * Where the person is on the join page, kept in the history entry: « back »
 * goes one step back, and a reload in the waiting room comes back to it.
 * Nothing secret is in it.
 */
import { useCallback, useEffect, useState } from 'react';

export type Step = 'card' | 'consent' | 'room' | 'move' | 'check';
const steps: readonly Step[] = ['card', 'consent', 'room', 'move', 'check'];

function stepOf(state: unknown): Step {
  const found = (state as { step?: unknown } | null)?.step;
  return steps.find((s) => s === found) ?? 'card';
}

export function useStep(): [Step, (step: Step, options?: { replace?: boolean }) => void] {
  const [step, set] = useState<Step>(() => stepOf(history.state));
  useEffect(() => {
    const back = () => set(stepOf(history.state));
    window.addEventListener('popstate', back);
    return () => window.removeEventListener('popstate', back);
  }, []);
  const go = useCallback((next: Step, options?: { replace?: boolean }) => {
    if (options?.replace) history.replaceState({ step: next }, '');
    else history.pushState({ step: next }, '');
    set(next);
    window.scrollTo(0, 0);
  }, []);
  return [step, go];
}
