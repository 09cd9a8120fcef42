/** Invites a relative or a helper into one act, and takes the invitation back; the same for the patient and the desk. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { Companion } from '@/api/types';
import { contactOf } from '@/features/link/contact';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayTime, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/Field';
import { State } from '@/ui/State';
import styles from './companion.module.css';

export function Companions({ appointmentId }: { appointmentId: string }) {
  const t = useT('companion');
  const found = useQuery({ queryKey: ['companions', appointmentId], queryFn: () => calls.companions(appointmentId) });
  const items = found.data?.items ?? [];
  return (
    <>
      <p>{t('lead')}</p>
      <Invite appointmentId={appointmentId} />
      {found.isError && <Failure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {items.length > 0 && (
        <section aria-labelledby="companions-invited">
          <h3 id="companions-invited">{t('invited')}</h3>
          <ul role="list" className={styles.list}>
            {items.map((c) => (
              <Invited key={c.id} companion={c} appointmentId={appointmentId} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Invite({ appointmentId }: { appointmentId: string }) {
  const t = useT('companion');
  const { language } = useLanguage();
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState('');
  const [contact, setContact] = useState('');
  const [tried, setTried] = useState(false);
  const invite = useMutation({
    mutationFn: (to: NonNullable<ReturnType<typeof contactOf>>) => calls.inviteCompanion(appointmentId, { displayName: name.trim(), ...to }),
    onSuccess: () => {
      setName('');
      setContact('');
      setTried(false);
      void client.invalidateQueries({ queryKey: ['companions', appointmentId] });
    },
  });
  const problem = invite.error ? asProblem(invite.error) : undefined;
  const refused = (field: string) => (problem?.status === 422 ? problem.field(field)?.detail : undefined);
  // The first field to correct has the focus.
  useEffect(() => {
    if (tried || invite.error) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [tried, invite.error]);
  const to = contactOf(contact);
  const submit = () => {
    setTried(true);
    if (name.trim() && to) invite.mutate(to);
  };
  return (
    <form
      ref={form}
      className={styles.form}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        submit();
      }}
    >
      <TextField
        label={t('name')}
        hint={t('nameHint')}
        name="displayName"
        value={name}
        onChange={setName}
        error={tried && !name.trim() ? t('wrongName') : refused('displayName')}
        maxLength={100}
        autoComplete="off"
      />
      <TextField
        label={t('contact')}
        name="contact"
        value={contact}
        onChange={setContact}
        error={tried && !to ? t('wrongContact') : (refused('phone') ?? refused('email'))}
        maxLength={254}
        autoComplete="off"
      />
      {problem && problem.status !== 422 && <Failure problem={problem} />}
      {invite.data && !tried && (
        <p role="status">
          {invite.data.sent ? (
            <State tone="good">{t('sent', { hint: invite.data.addressHint })}</State>
          ) : (
            <State tone="calm">{t('sentBefore', { hint: invite.data.addressHint, time: sayTime(invite.data.sentAt, visitorZone(), language), count: invite.data.againAfter })}</State>
          )}
        </p>
      )}
      <div>
        <Button type="submit" busy={invite.isPending}>
          {t('send')}
        </Button>
      </div>
    </form>
  );
}

function Invited({ companion: c, appointmentId }: { companion: Companion; appointmentId: string }) {
  const t = useT('companion');
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => calls.revokeCompanion(c.id),
    onSettled: () => client.invalidateQueries({ queryKey: ['companions', appointmentId] }),
  });
  return (
    <li className={styles.item}>
      <div>
        <p className={styles.strong}>{c.displayName}</p>
        <p className={styles.soft}>{t('where', { hint: c.addressHint })}</p>
      </div>
      <Button look="text" onPress={() => revoke.mutate()} busy={revoke.isPending} aria-label={t('revokeName', { name: c.displayName })}>
        {t('revoke')}
      </Button>
      {revoke.isError && <Failure problem={asProblem(revoke.error)} />}
    </li>
  );
}
