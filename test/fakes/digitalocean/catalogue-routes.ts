/** The fake's lists of sizes, regions and images. */
import { page, type Route } from './request.ts';

export const catalogueRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v2/sizes',
    handle: (request) => page(request, 'sizes', request.account.catalogue.sizes),
  },
  {
    method: 'GET',
    path: '/v2/regions',
    handle: (request) => page(request, 'regions', request.account.catalogue.regions),
  },
  {
    method: 'GET',
    path: '/v2/images',
    handle: (request) => {
      const own = request.query.get('private') === 'true';
      return page(
        request,
        'images',
        request.account.catalogue.images.filter((image) => image.public !== own),
      );
    },
  },
];
