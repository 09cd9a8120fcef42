import type { Medicine, Prescription } from '@/api/deskTypes';
import type { PrescriptionLine } from '@/api/types';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { acknowledged, chosenLine, confirmed } from './lines';
import styles from './prescription.module.css';

export type Warning = NonNullable<Prescription['warnings']>[number];

type Props = {
  line: PrescriptionLine;
  warnings: readonly Warning[];
  /** What the field says already; it is not said twice. */
  said: string | undefined;
  onChange: (line: PrescriptionLine) => void;
};

/** What the server asks about the words of a line, and the answers to it: a speciality of the base, or a confirmation. */
export function Answers({ line, warnings, said, onChange }: Props) {
  const t = useT('prescription');
  return warnings.map((w) => (
    <div key={`${w.code}-${w.detail}`} className={styles.question}>
      {w.detail !== said && <p className={w.refused ? styles.error : styles.warning}>{w.detail}</p>}
      <div className={styles.buttons}>
        {w.options?.map((m: Medicine) => (
          <Button key={m.cis || m.name} onPress={() => onChange(chosenLine(line, m))}>
            {t('answer.choose', { name: m.name })}
          </Button>
        ))}
        {w.names?.map((name) =>
          w.code.startsWith('declared-') ? (
            w.refused && (
              <Button key={name} onPress={() => onChange(acknowledged(line, w.code, name))}>
                {t('answer.seen', { name })}
              </Button>
            )
          ) : (
            <Button key={name} look="text" onPress={() => onChange(confirmed(line, name))}>
              {t(w.code === 'near-medicine' ? 'answer.other' : 'answer.cited', { name })}
            </Button>
          ),
        )}
      </div>
    </div>
  ));
}
