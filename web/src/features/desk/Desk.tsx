/** The frame of the professional's pages: who one is, where one may go, the way out. */
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { DeskPage } from '@/ui/Page';
import { DeskFailure } from './DeskFailure';
import { address, placesOf, useStaff } from './session';
import styles from './desk.module.css';

export function Desk({ title, children }: { title: string; children: ReactNode }) {
  const t = useT('desk');
  const [here] = useLocation();
  const staff = useStaff();
  const places = placesOf(staff);
  return (
    <DeskPage
      title={title}
      aside={<WhoAmI />}
      nav={
        places.length > 1 &&
        places.map((p) => (
          <Link key={p} href={address[p]} aria-current={here === address[p] ? 'page' : undefined}>
            {t(`nav.${p}`)}
          </Link>
        ))
      }
    >
      {children}
    </DeskPage>
  );
}

function WhoAmI() {
  const t = useT('desk');
  const staff = useStaff();
  const out = useMutation({
    mutationFn: calls.signOut,
    // A new page: nothing that was read stays in the memory of this one. Pro Santé Connect
    // ends its own session first and leads back.
    onSuccess: ({ next }) => location.assign(next ?? '/pro'),
  });
  return (
    <>
      <span className={styles.who}>
        {[staff.title, staff.displayName].filter(Boolean).join(' ')}
        <span className={styles.soft}> {staff.organizationName}</span>
      </span>
      <Button look="text" onPress={() => out.mutate()} busy={out.isPending}>
        {t('signOut')}
      </Button>
      <Dialog title={t('signOut.failed')} isOpen={out.isError} onClose={out.reset}>
        {out.error && <DeskFailure problem={asProblem(out.error)} retry={() => out.mutate()} busy={out.isPending} />}
      </Dialog>
    </>
  );
}
