import { useState } from 'react';
import { useT } from '@/i18n/i18n';
import { Button } from '@/ui/Button';
import { PatientPage } from '@/ui/Page';

/** The built-in view of an application often has no camera: help to carry the link to a real browser. */
export function InAppHelp({ app, link, onTry }: { app: string; link: string | null; onTry: () => void }) {
  const t = useT('diagnostics');
  const [copied, setCopied] = useState<boolean | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${location.origin}/rdv#${link ?? ''}`);
      setCopied(true);
    } catch {
      setCopied(false);
    }
  };
  const action = (
    <>
      {link && (
        <Button wide onPress={() => void copy()}>
          {t('inApp.copy')}
        </Button>
      )}
      <Button wide look="text" onPress={onTry}>
        {t('inApp.try')}
      </Button>
    </>
  );
  return (
    <PatientPage title={t('inApp.title')} action={action}>
      <p>{t('inApp.text', { app: app === '' ? t('inApp.generic') : app })}</p>
      <p role="status">{copied === null ? '' : copied ? t('inApp.copied') : t('inApp.notCopied')}</p>
    </PatientPage>
  );
}
