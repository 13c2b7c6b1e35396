"""What a port of a user's code would come to, before anything is run or written."""
