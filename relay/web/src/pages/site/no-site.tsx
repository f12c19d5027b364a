import { Link } from 'react-router';
import { EmptyState } from '../../components/empty-state.tsx';

export function NoSite() {
  return (
    <EmptyState icon="question" title="There is no such site" action={<Link to="/">Go to the sites</Link>}>
      It was removed, or the address is not whole. Find it in the list of sites.
    </EmptyState>
  );
}
