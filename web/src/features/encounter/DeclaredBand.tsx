/** What the patient says of allergies and treatments, with who wrote it and when; changed here until the act ends. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Declaration, Encounter } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { fieldWords } from '@/features/report/fields';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { DeclaredField, sentSubject, type DeclaredSubject } from '@/ui/Declared';
import { useNow } from '@/ui/Page';
import { closed } from './act';
import styles from './encounter.module.css';

const subjects = ['allergies', 'treatments'] as const;
type Said = Declaration['allergies'];
const keyOf = (encounter: Encounter) => ['declaration', encounter.appointmentId, encounter.status];

export function DeclaredBand({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const id = encounter.appointmentId;
  const [open, setOpen] = useState(false);
  // The patient may change it until the act begins: read again at each step of the act.
  const found = useQuery({
    queryKey: keyOf(encounter),
    queryFn: () => desk.declaration(id),
    staleTime: 30_000,
    // What stood stays in view meanwhile, of the same appointment only.
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  });
  return (
    <section className={styles.band} aria-label={t('declared.name')}>
      {found.isError && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.data && !open && subjects.map((s) => <Line key={s} subject={s} said={found.data[s]} />)}
      {found.data && open && <Form key={found.data.etag} encounter={encounter} declaration={found.data} onClose={() => setOpen(false)} />}
      {found.data && !open && !closed(encounter) && (
        <div>
          <Button look="text" onPress={() => setOpen(true)}>
            {t('declared.edit')}
          </Button>
        </div>
      )}
    </section>
  );
}

function Line({ subject, said }: { subject: (typeof subjects)[number]; said: Said }) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const now = useNow();
  const answer = ({ state, text }: Pick<Said, 'state' | 'text'>) => (state === 'listed' ? (text ?? '') : t(state === 'none' ? `declared.${subject}.none` : 'declared.notGiven'));
  const author = ({ by, at }: Pick<Said, 'by' | 'at'>) => by && at && t(`declared.by.${by}`, { when: sayDateTime(at, now, clinicZone, language) });
  const earlier = said.earlier ?? [];
  return (
    <div>
      <strong>{t(`declared.${subject}.label`)}</strong> <span className={said.state === '' ? styles.soft : styles.said}>{answer(said)}</span>
      <span className={styles.soft}> {author(said)}</span>
      {earlier.length > 0 && (
        <details>
          <summary>{t('declared.earlier', { count: earlier.length })}</summary>
          <ul>
            {earlier.map((e, i) => (
              <li key={i}>
                <span className={styles.said}>{answer(e)}</span> <span className={styles.soft}>{author(e)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Form({ encounter, declaration, onClose }: { encounter: Encounter; declaration: Declaration; onClose: () => void }) {
  const t = useT('encounter');
  const client = useQueryClient();
  const first = (s: Said): DeclaredSubject => ({ state: s.state, text: s.text ?? '' });
  const [form, setForm] = useState({ allergies: first(declaration.allergies), treatments: first(declaration.treatments) });
  const key = keyOf(encounter);
  const save = useMutation({
    mutationFn: () => desk.saveDeclaration(encounter.appointmentId, { allergies: sentSubject(form.allergies), treatments: sentSubject(form.treatments) }, declaration.etag),
    onSuccess: (saved) => {
      client.setQueryData<Declaration>(key, saved);
      onClose();
      // What is compared with it is read again.
      return client.invalidateQueries({ queryKey: ['prescriptions', encounter.id] });
    },
  });
  const problem = save.isError ? asProblem(save.error) : undefined;
  return (
    <form
      className={styles.declared}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        save.mutate();
      }}
    >
      {subjects.map((s) => (
        <DeclaredField
          key={s}
          name={s}
          words={{ legend: t(`declared.${s}`), notGiven: t('declared.notGiven'), none: t(`declared.${s}.none`), listed: t('declared.listed'), text: t(`declared.${s}.text`) }}
          value={form[s]}
          onChange={(value) => setForm({ ...form, [s]: value })}
          error={fieldWords(problem, `${s}.text`)}
        />
      ))}
      {problem && problem.fields.length === 0 && <DeskFailure problem={problem} retry={() => void client.invalidateQueries({ queryKey: key })} busy={false} />}
      <div className={styles.buttons}>
        <Button type="submit" look="secondary" busy={save.isPending}>
          {t('declared.save')}
        </Button>
        <Button look="text" onPress={onClose}>
          {t('declared.cancel')}
        </Button>
      </div>
    </form>
  );
}
