/** What a professional attests: that the patient agreed aloud, or who decided for them and which document was seen (C6). */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem, newIntention } from '@/api/client';
import * as desk from '@/api/desk';
import type { AttestedBy, Encounter } from '@/api/deskTypes';
import { useInView } from '@/features/consent/inView';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Choice, Select, TextField } from '@/ui/Field';
import styles from './encounter.module.css';

type Agent = NonNullable<AttestedBy['representative']>;
type Document = NonNullable<Agent['document']>;
/** Why a minor decides without their parents; the ordinary case has none. */
type Ground = 'parents' | NonNullable<AttestedBy['ground']>;
export type Typed = { ground: Ground; name: string; relation: Agent['relation'] | ''; document: Document | '' };

const relations = ['mother', 'father', 'guardian'] as const;
const documents = ['identity-card', 'passport', 'residence-permit', 'digital-identity'] as const;
const nobody: Typed = { ground: 'parents', name: '', relation: '', document: '' };

/** What is sent, or null while something is missing. */
export function attestedBy(minor: boolean, typed: Typed): AttestedBy | null {
  if (!minor) return {};
  if (typed.ground === 'contraception') return { ground: 'contraception' };
  const relation = typed.ground === 'secrecy' ? 'chosen-adult' : typed.relation;
  if (typed.name.trim() === '' || relation === '' || typed.document === '') return null;
  const representative = { name: typed.name.trim(), relation, document: typed.document };
  return typed.ground === 'secrecy' ? { ground: 'secrecy', representative } : { representative };
}

/** What is asked of the patient, by what they answered before; 'granted' is not asked. */
const questions = {
  none: 'consent.ask',
  granted: 'consent.ask',
  refused: 'consent.askAgain',
  withdrawn: 'consent.askAgain',
  emergency: 'consent.askAfterEmergency',
} as const satisfies Record<Encounter['consent'], string>;

export function Attest({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const client = useQueryClient();
  const minor = encounter.patient.minor;
  const [reading, setReading] = useState(false);
  const [typed, setTyped] = useState(nobody);
  const [checked, setChecked] = useState(false);
  const inView = useInView();
  const [intention] = useState(newIntention);
  const text = useQuery({ queryKey: ['consent-text', language], queryFn: () => calls.consentText(language), staleTime: 3_600_000 });
  const attest = useMutation({
    mutationFn: (who: AttestedBy) =>
      desk.attestConsent(encounter.appointmentId, text.data!, who, { page: 'encounter', control: 'attest', seconds: inView() }, intention),
    onSuccess: () => client.invalidateQueries({ queryKey: ['encounter', encounter.id] }),
  });
  const send = () => {
    setChecked(true);
    const who = attestedBy(minor, typed);
    if (who) attest.mutate(who);
  };
  return (
    <>
      <div className={styles.ask}>
        <p>{t(minor ? 'consent.askMinor' : questions[encounter.consent])}</p>
        {minor && <Who typed={typed} checked={checked} onChange={setTyped} />}
        <div className={styles.buttons}>
          <Button look="secondary" onPress={send} isDisabled={!text.data} busy={attest.isPending}>
            {t('consent.attest')}
          </Button>
          <Button look="text" onPress={() => setReading(!reading)} aria-expanded={reading}>
            {t(reading ? 'consent.hide' : 'consent.read')}
          </Button>
        </div>
      </div>
      {reading && text.data && <div className={styles.text} tabIndex={0} role="region" aria-label={t('consent.text')} dangerouslySetInnerHTML={{ __html: text.data.html }} />}
      {text.isError && <DeskFailure problem={asProblem(text.error)} retry={() => void text.refetch()} busy={text.isFetching} />}
      {attest.isError && <DeskFailure problem={asProblem(attest.error)} retry={send} busy={attest.isPending} />}
    </>
  );
}

function Who({ typed, checked, onChange }: { typed: Typed; checked: boolean; onChange: (typed: Typed) => void }) {
  const t = useT('encounter');
  const missing = (value: string, words: 'consent.nameNeeded' | 'consent.relationNeeded' | 'consent.documentNeeded') => (checked && value.trim() === '' ? t(words) : undefined);
  const document = (
    <Select
      label={t('consent.document')}
      name="document"
      value={typed.document}
      onChange={(v) => onChange({ ...typed, document: documents.find((d) => d === v) ?? '' })}
      error={missing(typed.document, 'consent.documentNeeded')}
      options={[{ value: '', label: t('consent.choose') }, ...documents.map((d) => ({ value: d, label: t(`consent.document.${d}`) }))]}
    />
  );
  return (
    <>
      <Choice
        legend={t('consent.who')}
        name="ground"
        value={typed.ground}
        onChange={(v) => onChange({ ...typed, ground: v === 'secrecy' || v === 'contraception' ? v : 'parents' })}
        options={(['parents', 'secrecy', 'contraception'] as const).map((g) => ({ value: g, label: t(`consent.ground.${g}`), detail: t(`consent.ground.${g}.law`) }))}
      />
      {typed.ground !== 'contraception' && (
        <TextField
          label={t(typed.ground === 'secrecy' ? 'consent.adultName' : 'consent.parentName')}
          name="representative"
          value={typed.name}
          onChange={(name) => onChange({ ...typed, name })}
          maxLength={120}
          autoComplete="off"
          error={missing(typed.name, 'consent.nameNeeded')}
        />
      )}
      {typed.ground === 'parents' && (
        <Select
          label={t('consent.relation')}
          name="relation"
          value={typed.relation}
          onChange={(v) => onChange({ ...typed, relation: relations.find((r) => r === v) ?? '' })}
          error={missing(typed.relation, 'consent.relationNeeded')}
          options={[{ value: '', label: t('consent.choose') }, ...relations.map((r) => ({ value: r, label: t(`consent.relation.${r}`) }))]}
        />
      )}
      {typed.ground !== 'contraception' && document}
    </>
  );
}
