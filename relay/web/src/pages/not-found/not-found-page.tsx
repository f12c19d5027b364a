import { Link, useLocation } from 'react-router';
import { EmptyState } from '../../components/empty-state.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';

export function NotFoundPage() {
  usePageTitle('Not found');
  const { pathname } = useLocation();
  return (
    <EmptyState icon="question" title="There is no page at this address" action={<Link to="/">Go to the sites</Link>}>
      <code>{pathname}</code> is not a page of Sitewarden. Check the address, or start from the list of sites.
    </EmptyState>
  );
}
