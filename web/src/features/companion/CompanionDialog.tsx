/** The invitation of a relative, from the patient's card. */
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { Sheet } from '@/ui/Sheet';
import { Companions } from './Companions';

export function CompanionDialog({ appointmentId, onClose }: { appointmentId: string; onClose: () => void }) {
  const t = useT('companion');
  return (
    <Sheet title={t('title')} isOpen onClose={onClose}>
      <Companions appointmentId={appointmentId} />
      <div>
        <Button look="text" onPress={onClose}>
          {t('close')}
        </Button>
      </div>
    </Sheet>
  );
}
