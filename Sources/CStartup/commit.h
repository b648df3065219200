#define SEDD_COMMIT "5cb27475319e, modified"
