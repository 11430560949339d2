"""Who someone is: customers by their email, admins by password, and the emailed links that prove an address."""
