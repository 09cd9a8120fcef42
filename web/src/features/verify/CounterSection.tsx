/** The counter of the pharmacy: what was dispensed, by whom; for a signed-in pharmacist, what is dispensed now. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention } from '@/api/client';
import type { Dispensing, Verification } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayFullDay } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/Field';
import { Section } from '@/ui/Page';
import { nameOf, renewalsDue } from './counter';
import { DispenseForm } from './DispenseForm';
import styles from './verify.module.css';

export type AtCounter = { publicId: string; code: string; verification: Verification; onChange: (v: Verification) => void };

export function CounterSection(props: AtCounter) {
  const t = useT('verify');
  const { verification: v, publicId } = props;
  const me = useQuery({ queryKey: ['me'], queryFn: calls.me, staleTime: 60_000 });
  const counter = v.dispensing;
  if (!counter) return null;
  const entries = counter.entries ?? [];
  const last = entries.findLast((e) => e.state === 'recorded' && !e.earlier);
  const due = renewalsDue(counter).length > 0;
  return (
    <Section title={t('counter.title')} id="counter">
      {entries.length === 0 && <p>{t('counter.none')}</p>}
      {entries.length > 0 && (
        <ol role="list" className={styles.entries}>
          {entries.map((e) => (
            <li key={e.id}>
              <Entry entry={e} verification={v} />
              {e === last && e.mine && <Withdraw {...props} entry={e} />}
            </li>
          ))}
        </ol>
      )}
      {v.state !== 'valid' && <p>{t('counter.notValid')}</p>}
      {v.state === 'valid' && !due && <p>{t('counter.over')}</p>}
      {v.state === 'valid' && due && me.data?.staff?.role === 'pharmacist' && <DispenseForm {...props} key={counter.etag} />}
      {v.state === 'valid' && due && me.data && me.data.kind !== 'staff' && (
        <>
          <p>{t('counter.signIn')}</p>
          <a className={styles.psc} href={`/api/auth/psc/start?return=${encodeURIComponent(`/v/${publicId}`)}`}>
            {t('counter.psc')}
          </a>
        </>
      )}
    </Section>
  );
}

function Entry({ entry: e, verification: v }: { entry: Dispensing; verification: Verification }) {
  const t = useT('verify');
  const { language } = useLanguage();
  const date = sayFullDay(dayOf(e.at, clinicZone), language);
  const words = (
    <>
      <p className={styles.name}>{t(e.mine ? 'counter.entryMine' : 'counter.entry', { date, pharmacy: e.pharmacy })}</p>
      <p>{e.renewal === 0 ? t('counter.first') : t('counter.renewal', { n: e.renewal })}</p>
      {!e.earlier && (
        <ul role="list">
          {e.lines.map((l) => (
            <li key={l.line}>
              {t(l.extent === 'full' ? 'counter.lineFull' : 'counter.linePart', { name: nameOf(v.lines?.[l.line]), quantity: l.quantity })}
            </li>
          ))}
        </ul>
      )}
    </>
  );
  return (
    <>
      {e.earlier && <p className={styles.soft}>{t('counter.earlier')}</p>}
      {e.state === 'withdrawn' ? <del>{words}</del> : words}
      {e.state === 'withdrawn' && <p className={styles.soft}>{t('counter.withdrawn', { reason: e.mistake ?? '' })}</p>}
    </>
  );
}

function Withdraw({ publicId, code, entry, onChange }: AtCounter & { entry: Dispensing }) {
  const t = useT('verify');
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  const [intention] = useState(newIntention);
  const withdraw = useMutation({
    mutationFn: () => calls.withdrawDispensing(publicId, entry.id, code, reason.trim(), intention),
    onSuccess: (v) => {
      setAsking(false);
      onChange(v);
    },
  });
  return (
    <>
      <Button look="text" onPress={() => setAsking(true)}>
        {t('counter.withdraw')}
      </Button>
      <Dialog title={t('counter.withdraw.title')} isOpen={asking} onClose={() => setAsking(false)}>
        <p>{t('counter.withdraw.text')}</p>
        <TextField label={t('counter.withdraw.reason')} name="reason" value={reason} onChange={setReason} maxLength={500} autoFocus />
        {withdraw.isError && <Failure problem={asProblem(withdraw.error)} retry={() => withdraw.mutate()} busy={withdraw.isPending} />}
        <div className={styles.buttons}>
          <Button look="danger" onPress={() => withdraw.mutate()} busy={withdraw.isPending} isDisabled={reason.trim() === ''}>
            {t('counter.withdraw.confirm')}
          </Button>
          <Button look="text" onPress={() => setAsking(false)}>
            {t('counter.withdraw.keep')}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
