/** What surrounds every page: language, server state, announcements, the last net under a fault. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useCallback, useEffect, useMemo, useState, useTransition, type ReactNode } from 'react';
import { asProblem, Problem, speak } from '@/api/client';
import { firstLanguage, LanguageContext, loadCatalogue, rememberLanguage, type Language } from '@/i18n/i18n';
import { Announcer } from '@/ui/Announcer';
import { keepFocus } from '@/ui/keptFocus';
import { Lines } from '@/ui/Loading';
import { ignoreSecondClick } from '@/ui/secondClick';
import { Routes } from '@/routes/Routes';
import { FaultBoundary } from './FaultBoundary';
import styles from './App.module.css';

/** Reads are tried again twice when the network or the server failed, never when the answer was a refusal. */
function newQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        networkMode: 'always',
        retry: (count, cause) => {
          const problem = cause instanceof Problem ? cause : null;
          return count < 2 && problem !== null && (problem.status === 0 || problem.status >= 500) && problem.code !== 'offline';
        },
        retryDelay: (attempt) => 500 * 2 ** attempt,
        throwOnError: false,
      },
      mutations: { networkMode: 'always', retry: false },
    },
  });
}

function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, set] = useState<Language>(firstLanguage);
  const [, startTransition] = useTransition();
  useEffect(() => {
    document.documentElement.lang = language;
    speak(language);
    // Loaded ahead, so that a failure can be said when the network is gone.
    void loadCatalogue(language, 'problems').catch(() => undefined);
  }, [language]);
  const setLanguage = useCallback((l: Language) => {
    rememberLanguage(l);
    speak(l);
    // A transition keeps the page in view while the other catalogue loads.
    startTransition(() => set(l));
  }, []);
  const value = useMemo(() => ({ language, setLanguage }), [language, setLanguage]);
  return <LanguageContext value={value}>{children}</LanguageContext>;
}

export function App() {
  const [client] = useState(newQueryClient);
  useEffect(() => keepFocus(document.body), []);
  useEffect(() => ignoreSecondClick(document), []);
  return (
    <LanguageProvider>
      <QueryClientProvider client={client}>
        <Announcer>
          <FaultBoundary report={(cause) => asProblem(cause)}>
            <Suspense
              fallback={
                <div className={styles.waiting} aria-busy="true">
                  <Lines count={5} />
                </div>
              }
            >
              <Routes />
            </Suspense>
          </FaultBoundary>
        </Announcer>
      </QueryClientProvider>
    </LanguageProvider>
  );
}
