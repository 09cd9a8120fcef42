import type { Price } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayMoney } from '@/i18n/time';
import styles from './booking.module.css';

/** What remains to pay first, then the price and the refund, then where the figures come from. */
export function PriceNote({ price }: { price: Price }) {
  const t = useT('booking');
  const { language } = useLanguage();
  return (
    <div className={styles.price}>
      <p className={styles.remaining}>
        {price.remainingCents === 0 ? t('price.nothing') : t('price.remaining', { amount: sayMoney(price.remainingCents, language) })}
      </p>
      <p>{t('price.detail', { amount: sayMoney(price.amountCents, language), reimbursed: sayMoney(price.reimbursedCents, language) })}</p>
      <details className={styles.why}>
        <summary>{t('price.why')}</summary>
        <p>{price.rateLabel}</p>
        <p>{price.explanation}</p>
        <p className={styles.soft}>{t('price.source', { source: price.source })}</p>
      </details>
    </div>
  );
}
