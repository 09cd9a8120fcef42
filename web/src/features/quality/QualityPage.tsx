/** What a call was like and why: for who is asked « pourquoi ça n'a pas marché ? ». */
import { useQuery } from '@tanstack/react-query';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { CallQuality, Ribbon } from '@/api/deskTypes';
import type { CheckKept } from '@/api/types';
import { Desk } from '@/features/desk/Desk';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayDateTime, sayDuration, sayFullDay, sayTime } from '@/i18n/time';
import { Lines, Loading } from '@/ui/Loading';
import { Section, useNow } from '@/ui/Page';
import { State, type StateTone } from '@/ui/State';
import { extent, pieces } from './ribbon';
import styles from './quality.module.css';

export default function QualityPage({ encounterId }: { encounterId: string }) {
  const t = useT('quality');
  const found = useQuery({ queryKey: ['quality', encounterId], queryFn: () => desk.callQuality(encounterId), staleTime: 0 });
  return (
    <Desk title={t('title')}>
      {found.isPending && (
        <Loading what={t('loading')}>
          <Lines count={4} />
        </Loading>
      )}
      {found.isError && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.data && <Report quality={found.data} />}
      {found.data && <Checks encounterId={encounterId} />}
    </Desk>
  );
}

const tones: Record<NonNullable<CallQuality['attendance']>, StateTone> = { held: 'good', absent: 'warn', 'went-away': 'warn', technical: 'bad', blocked: 'warn' };

function Report({ quality: q }: { quality: CallQuality }) {
  const t = useT('quality');
  const { language } = useLanguage();
  const now = useNow(60_000);
  const say = (at: string) => sayTime(at, clinicZone, language);
  const { start, end } = q.period;
  const known = extent(q);
  return (
    <div className={styles.report}>
      <div>
        <p className={styles.who}>{t('with', { patient: q.patient, practitioner: q.practitioner })}</p>
        <p className={styles.soft}>
          {start && end
            ? t('when', { day: sayFullDay(dayOf(start, clinicZone), language), from: say(start), to: say(end) })
            : q.planned.start && t('planned', { when: sayDateTime(q.planned.start, now, clinicZone, language) })}
        </p>
      </div>
      {q.attendance && (
        <div className={styles.proof}>
          <State tone={tones[q.attendance]}>{t(q.attendance)}</State>
          {start && <span>{q.videoSeconds > 0 ? t('video', { long: sayDuration(q.videoSeconds) }) : t('noVideo')}</span>}
        </div>
      )}
      {!known && <p>{t('noCall')}</p>}
      {known && (
        <Section id="causes" title={t('causes')}>
          {q.causes.length === 0 ? (
            <p>{t('noCause')}</p>
          ) : (
            <ul role="list" className={styles.causes}>
              {q.causes.map((c) => (
                <li key={`${c.at} ${c.code} ${c.role}`}>{c.text}</li>
              ))}
            </ul>
          )}
        </Section>
      )}
      {known && (
        <Section id="ribbon" title={t('ribbon')}>
          <div className={styles.seats}>
            {q.seats.map((s) => (
              <Seat key={s.seatId} ribbon={s} line={known} />
            ))}
          </div>
        </Section>
      )}
    </div>
  );
}

const named = ['patient', 'doctor', 'dentist', 'midwife', 'professional', 'nurse', 'pharmacist', 'companion'] as const;

/** A test of the connection keeps the role, which is no profession: a midwife holds the role doctor too. */
const tester = (role: string) => named.find((r) => r === (role === 'doctor' ? 'professional' : role)) ?? 'other';

function Seat({ ribbon, line }: { ribbon: Ribbon; line: { from: number; to: number } }) {
  const t = useT('quality');
  const { language } = useLanguage();
  const say = (at: string | number) => sayTime(new Date(at), clinicZone, language);
  const who = t(`role.${named.find((r) => r === ribbon.role) ?? 'other'}`);
  const path = ribbon.stretches.findLast((x) => x.pair)?.pair;
  const bad = ribbon.stretches.filter((x) => x.word !== 'good');
  return (
    <section className={styles.seat} aria-label={t('ribbonOf', { who, from: say(line.from), to: say(line.to) })}>
      <h3 className={styles.role}>{who}</h3>
      {ribbon.stretches.length === 0 ? (
        <p className={styles.soft}>{t('none')}</p>
      ) : (
        <>
          <div className={styles.line} aria-hidden="true">
            {pieces(ribbon, line).map((p) => (
              <span key={p.start} className={`${styles.piece} ${styles[p.word]}`} style={{ left: `${p.left}%`, width: `${p.width}%` }} title={p.text} />
            ))}
          </div>
          <div className={styles.ends} aria-hidden="true">
            <span>{say(line.from)}</span>
            <span>{say(line.to)}</span>
          </div>
          <ul role="list" className={styles.words}>
            {(bad.length > 0 ? bad : ribbon.stretches).map((x) => (
              <li key={x.start}>
                <span className={`${styles.mark} ${styles[x.word]}`} aria-hidden="true" />
                {t('stretch', { from: say(x.start), to: say(x.end), word: t(`word.${x.word}`) })}
                {x.text && <span className={styles.text}> {x.text}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      {path && <p className={styles.soft}>{t('path', { pair: t(`pair.${path}`) })}</p>}
    </section>
  );
}

const words: Record<CheckKept['word'], StateTone> = { good: 'good', weak: 'warn', bad: 'bad' };

/** The connection tests made before the act: what a secretary needs to help on the telephone. */
function Checks({ encounterId }: { encounterId: string }) {
  const t = useT('quality');
  const { language } = useLanguage();
  const now = useNow(60_000);
  const found = useQuery({ queryKey: ['checks', encounterId], queryFn: () => desk.connectionChecks(encounterId), staleTime: 0 });
  return (
    <Section id="checks" title={t('checks')}>
      {found.isPending && <Loading what={t('loading')} />}
      {found.isError && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.data?.items.length === 0 && <p>{t('checks.none')}</p>}
      <ul role="list" className={styles.checks}>
        {found.data?.items.map((c) => (
          <li key={c.at}>
            <p>
              {t('check.by', { when: sayDateTime(c.at, now, clinicZone, language), who: c.result.silent ? t('check.silent') : t(`role.${tester(c.role)}`) })}{' '}
              <State tone={words[c.word]}>{t(`check.${c.word}`)}</State>
            </p>
            {c.findings.map((f) => (
              <p key={f}>{f}</p>
            ))}
            <p className={styles.soft}>{t('check.rates', { up: c.result.upKbps, down: c.result.downKbps, rtt: c.result.rttMs })}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
