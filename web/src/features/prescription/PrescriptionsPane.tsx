/** The prescriptions of an act: each its own sheet; drafts are written here, signed ones read, replaced or cancelled. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { asProblem, newIntention } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter, Prescription } from '@/api/deskTypes';
import type { PrescriptionCategory } from '@/api/types';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useT } from '@/i18n/i18n';
import { Choices } from '@/ui/Choices';
import { Lines, Loading } from '@/ui/Loading';
import { DraftSheet } from './DraftSheet';
import { categories } from './lines';
import { SignedSheet } from './SignedSheet';
import styles from './prescription.module.css';

const order: Record<Prescription['status'], number> = { draft: 0, signed: 1, replaced: 2, cancelled: 3 };

export function PrescriptionsPane({ encounter }: { encounter: Encounter }) {
  const t = useT('prescription');
  const client = useQueryClient();
  const key = ['prescriptions', encounter.id];
  const found = useQuery({ queryKey: key, queryFn: () => desk.prescriptions(encounter.id) });
  const add = useMutation({
    mutationFn: (wanted: { category: PrescriptionCategory; intention: string }) => desk.addPrescription(encounter.id, wanted.category, wanted.intention),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  });
  if (found.isPending) {
    return (
      <Loading what={t('loading')}>
        <Lines count={4} />
      </Loading>
    );
  }
  if (found.isError) return <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />;
  const items = [...found.data.items].sort((a, b) => order[a.status] - order[b.status]);
  return (
    <div className={styles.pane}>
      {items.length === 0 && <p className={styles.soft}>{t('none')}</p>}
      {items.map((p) =>
        p.status === 'draft' ? (
          <DraftSheet key={p.id} encounterId={encounter.id} prescription={p} minor={encounter.patient.minor === true} />
        ) : (
          <SignedSheet key={p.id} encounterId={encounter.id} prescription={p} />
        ),
      )}
      {add.isError && <DeskFailure problem={asProblem(add.error)} />}
      <Choices
        label={t('new')}
        items={categories.map((c) => ({ id: c, label: t(`category.${c}`) }))}
        onChoose={(category) => add.mutate({ category: category as PrescriptionCategory, intention: newIntention() })}
      />
    </div>
  );
}
